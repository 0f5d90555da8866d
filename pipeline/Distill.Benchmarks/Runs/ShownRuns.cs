using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;

namespace Distill.Benchmarks.Runs;

/// <summary>Runs as pages show them when they are finished, made without doing anything; they have no artefacts.</summary>
internal static class ShownRuns
{
    public static void Make(string runs, int count, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        StageProgressEntry[] stages =
        [
            .. Enumerable.Range(0, 14).Select(i => new StageProgressEntry($"stage-{i}", StageStanding.Done)
                { Reason = "not done yet", Summary = "3,812 of 4,000 traces kept (wrong 120, truncated 8)", Seconds = 61 }),
        ];
        for (int i = 0; i < count; i++)
        {
            var run = new RunFolder(runs, $"run-{i:D4}");
            Directory.CreateDirectory(run.Path);
            File.WriteAllText(run.RecipePath, "name: nightly\n");
            File.WriteAllText(run.MetricsPath, string.Concat(Enumerable.Range(0, 500).Select(step =>
                $"{{\"stage\":\"sft\",\"step\":{step},\"loss\":{1.0 / (step + 1):R},\"entropy\":0.5}}\n")));
            new ProgressFile(ProgressFile.CurrentFormat, now, now, stages).Write(run.Path);
            new RunState(RunState.CurrentFormat, RunProgress.Finished, null, run.Path, null, now.AddMinutes(-i)).Write(run.Path);
        }
    }
}
