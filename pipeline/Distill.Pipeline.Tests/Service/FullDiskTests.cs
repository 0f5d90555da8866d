using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tests.Testing;
using Distill.Pipeline.Watching;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Service;

/// <summary>Logs that the disk no longer takes stop no run and change no end.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const string Full = "/dev/full"; // takes no byte, as a full disk

    private readonly TemporaryFolder folder = SampleSchedules.Folder();

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    /// <summary>The program says more than a pipe holds, and would wait for ever if nobody read it.</summary>
    [Fact]
    public async Task A_run_whose_words_nobody_can_keep_goes_on_to_its_own_end()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no shell script on Windows.");
        int told = 0;
        (await RunTalker(_ =>
        {
            told++;
            throw new IOException("no space left on device");
        })).ShouldBe(3);
        told.ShouldBe(20_000);
        await Should.ThrowAsync<InvalidOperationException>(() => RunTalker(_ => throw new InvalidOperationException("ours to mend")));
    }

    [Fact]
    public async Task An_occurrence_whose_log_cannot_be_written_is_finished_all_the_same()
    {
        Assert.SkipUnless(File.Exists(Full), $"This system has no {Full}.");
        var store = new OccurrenceStore(folder.File("runs"));
        var occurrence = SampleSchedules.Waiting("2026-11-28T01:30Z");
        store.TryCreate(occurrence);
        File.CreateSymbolicLink(store.LogPath(occurrence), Full);
        folder.File("schedules.yaml", SampleSchedules.Text);
        var clock = new FakeTimeProvider(occurrence.Due);
        var (book, secrets) = (new ScheduleBook(folder.File("schedules.yaml")), new SecretText([]));
        var program = new ScriptedProgram(0) { Says = ["a line", "another"] };
        var followUps = new FollowUps(store, book, program, new RecordingNotifiers(), secrets, clock);
        await new OccurrenceRunner(store, book, program, followUps, new LiveRuns(), secrets, clock)
            .CarryOnAsync(occurrence.Schedule, occurrence.Name, Ending);
        store.Find(occurrence.Schedule, occurrence.Name)!.State.ShouldBe(OccurrenceState.Finished);
    }

    [Fact]
    public void A_run_that_cannot_write_its_log_ends_as_it_would()
    {
        Assert.SkipUnless(File.Exists(Full), $"This system has no {Full}.");
        File.CreateSymbolicLink(folder.File(ProgressRecorder.LogName), Full);
        var inner = new RecordingObserver();
        using (var recorder = new ProgressRecorder(folder.Path, ["traces"], inner, TimeProvider.System))
        {
            recorder.StageStarted("traces", "not done yet");
            recorder.StageFinished("traces", TimeSpan.FromSeconds(1), "9 traces");
        }

        inner.Done.ShouldBe(["traces"]);
    }

    [Fact]
    public void Whoever_logs_goes_on_when_the_log_takes_nothing()
    {
        Assert.SkipUnless(File.Exists(Full), $"This system has no {Full}.");
        using var writer = new StreamWriter(new FileStream(Full, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
        writer.AutoFlush = true;
        Should.Throw<IOException>(() => writer.WriteLine("refused"));
        new StructuredLog(writer, LogForm.Text, TimeProvider.System, text => text).Write(LogLevel.Info, "something", "");
    }

    private static Task<int> RunTalker(Action<SpokenLine> said)
    {
        const string Script = "i=0; while [ $i -lt 20000 ]; do echo 'a line among many'; i=$((i+1)); done; exit 3";
        return new DistillProgram(["/bin/sh", "-c", Script], [], TimeProvider.System).RunAsync([], said, Ending)
            .WaitAsync(TimeSpan.FromMinutes(1), Ending);
    }
}
