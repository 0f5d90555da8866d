using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Tracking;

/// <summary>A run that has ended, with measurements of two stages, for tests of who is told of it.</summary>
internal static class SampleTracked
{
    public const int Points = 5;

    public static DistillationRecipe Recipe(TemporaryFolder folder, string tracking = "") =>
        SampleRecipe.Parse(folder, SampleRecipe.Text + "\n" + tracking);

    /// <param name="progress">How it ended; running: not yet.</param>
    public static RunFolder Run(TemporaryFolder folder, RunProgress progress = RunProgress.Finished)
    {
        var run = new RunFolder(folder.File("runs"), "sample");
        Directory.CreateDirectory(run.Path);
        using (var metrics = new RunMetrics(run.MetricsPath, TimeProvider.System))
        {
            for (int step = 1; step <= Points - 1; step++)
                metrics.Add("sft", step, new Dictionary<string, double> { ["loss"] = 1.0 / step, ["tokens"] = 100, ["bad"] = double.NaN });
            metrics.Add("rl", 1, new Dictionary<string, double> { ["reward"] = 0.25 });
        }

        SetState(run, progress);
        ReplacedFile.Write(run.LockFilePath, """{"sft":{"output":"abc","inputs":{}}}"""u8);
        return run;
    }

    public static void SetState(RunFolder run, RunProgress progress, RunVerdict? verdict = null) =>
        new RunState(RunState.CurrentFormat, progress, null, run.Path, null, DateTimeOffset.UtcNow) { Verdict = verdict }.Write(run.Path);
}
