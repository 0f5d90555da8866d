using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tests.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Runs.Live;

/// <summary>What a run leaves for those who look at it from outside.</summary>
public sealed class ProgressRecorderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UnixEpoch);
    private readonly RecordingObserver inner = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Stages_wait_run_and_end_with_their_reasons()
    {
        using (var recorder = Recorder("traces", "sft"))
        {
            Standings().ShouldBe([StageStanding.Waiting, StageStanding.Waiting]);
            recorder.StageCached("traces", "unchanged", "9 traces");
            recorder.StageStarted("sft", "sft.epochs: 2 → 3");
            Standings().ShouldBe([StageStanding.Cached, StageStanding.Running]);
            recorder.StageFinished("sft", TimeSpan.FromSeconds(12.3456), "loss 0.1");
            recorder.Warning("take\ncare");
        }

        var stages = Read().Stages;
        stages.Select(stage => (stage.Reason, stage.Summary, stage.Seconds)).ShouldBe(
            [("unchanged", "9 traces", null), ("sft.epochs: 2 → 3", "loss 0.1", 12.346)]);
        File.ReadAllLines(folder["run.log"]).ShouldBe(
        [
            "1970-01-01T00:00:00Z traces unchanged: 9 traces", "1970-01-01T00:00:00Z sft: sft.epochs: 2 → 3",
            "1970-01-01T00:00:00Z sft done: loss 0.1", "1970-01-01T00:00:00Z ! take care",
        ]);
        inner.Done.ShouldBe(["sft"]);
        inner.Warnings.ShouldBe(["take\ncare"]);
        Directory.EnumerateFiles(folder.Path, ".*").ShouldBeEmpty();
    }

    [Fact]
    public void Progress_is_written_once_a_second_at_most_and_tells_what_is_left()
    {
        using var recorder = Recorder("traces");
        recorder.StageStarted("traces", "continues, 50 done");
        recorder.Progress("traces", new StageProgress(50, 100, "traces")); // within the second of the start
        Read().Current()!.Progress.ShouldBeNull();
        clock.Advance(TimeSpan.FromSeconds(10));
        recorder.Progress("traces", new StageProgress(60, 100, "traces", "", double.PositiveInfinity));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        recorder.Progress("traces", new StageProgress(61, 100, "traces"));
        var current = Read().Current()!;
        current.Progress.ShouldBe(new StageProgress(60, 100, "traces"));
        current.SecondsLeft!.Value.ShouldBe(40, 1e-6); // ten in ten seconds, whatever an earlier process did
    }

    [Fact]
    public void What_is_left_in_all_follows_from_the_plan()
    {
        using var recorder = Recorder("traces", "sft");
        Read().SecondsLeft.ShouldBeNull();
        recorder.Planned(new RunPlan("run", folder.Path,
        [
            new PlannedStage("traces", StageDecision.Run, "not done yet", "") { Seconds = 60 },
            new PlannedStage("sft", StageDecision.Depends, "depends", "") { Seconds = 100 },
        ]));
        Read().SecondsLeft!.Value.ShouldBe(160, 1e-6);
        recorder.StageStarted("traces", "not done yet");
        clock.Advance(TimeSpan.FromSeconds(120));
        recorder.StageFinished("traces", TimeSpan.FromSeconds(120), "twice as long as was expected");
        Read().SecondsLeft!.Value.ShouldBe(100 * 136 / 76.0, 1e-6);
        recorder.StageCached("sft", "made before", "");
        Read().SecondsLeft!.Value.ShouldBe(0, 1e-6);
        inner.Plans.ShouldHaveSingleItem();
    }

    [Fact]
    public void A_run_goes_on_without_what_cannot_be_written()
    {
        using var recorder = Recorder("traces");
        Directory.Delete(folder.Path, recursive: true);
        recorder.StageStarted("traces", "not done yet");
        recorder.StageFinished("traces", TimeSpan.FromSeconds(1), "9 traces");
        inner.Done.ShouldBe(["traces"]);
        Directory.CreateDirectory(folder.Path); // which goes with the test
    }

    [Fact]
    public void What_is_no_progress_of_this_version_is_none()
    {
        ProgressFile.TryRead(folder.Path).ShouldBeNull();
        foreach (string text in (string[])["", "{", "[]", "{\"format\":99,\"stages\":[]}", "{\"format\":1}", new string('x', 2 << 20)])
        {
            File.WriteAllText(folder["progress.json"], text);
            ProgressFile.TryRead(folder.Path).ShouldBeNull();
        }
    }

    private ProgressRecorder Recorder(params string[] stages) => new(folder.Path, stages, inner, clock);

    private ProgressFile Read() => ProgressFile.TryRead(folder.Path)!;

    private IEnumerable<StageStanding> Standings() => Read().Stages.Select(stage => stage.Standing);
}
