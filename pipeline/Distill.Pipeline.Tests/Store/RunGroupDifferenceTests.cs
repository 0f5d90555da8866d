using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Reporting;

namespace Distill.Pipeline.Tests.Store;

/// <summary>Runs of two recipes with several seeds each, as folders that hold a report.</summary>
public sealed class RunGroupDifferenceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public RunGroupDifferenceTests()
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            Write($"a-{seed}", SampleReport.OfSeed(seed, solved: 300 + seed));
            Write($"b-{seed}", SampleReport.OfSeed(seed, solved: 400 + seed));
            Write($"wide-{seed}", SampleReport.OfSeed(seed, solved: 200 + (60 * seed)));
        }
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_better_recipe_is_told_from_luck()
    {
        var greedy = Compare("a", "b").Results.Single(result => result is { Model: "onnx", Measure: "greedy" });
        greedy.Before.ShouldBe([0.602, 0.604, 0.606], 1e-12);
        greedy.Found.Difference.ShouldBe(0.2, 1e-12);
        greedy.Found.P.ShouldBeLessThan(0.01);
        // Every seed's student differs from the next as much as the recipes do: 52, 64, 76 % against 60 %.
        var lucky = Compare("wide", "a").Results.Single(result => result is { Model: "onnx", Measure: "greedy" });
        lucky.Found.P.ShouldBeGreaterThan(0.3);
        lucky.Found.Interval95.Low.ShouldBeLessThan(-0.1);
        lucky.Found.Interval95.High.ShouldBeGreaterThan(0.1);
    }

    [Fact]
    public void The_command_shows_every_run()
    {
        var run = CommandLineRun.Of("runs", "diff", "a-1,a-2,a-3", "b-1,b-2,b-3", "--runs", folder.Path);
        run.Code.ShouldBe(0, run.Error);
        run.Out.ShouldContain("60.2 % · 60.4 % · 60.6 %");
        run.Out.ShouldContain("+20.0");
        run.Out.ShouldContain("means of 3 and 3 runs");
    }

    [Fact]
    public void Runs_that_cannot_be_compared_are_refused()
    {
        Fault("a-1,a-2", "b-1,b-2,b-3").ShouldContain("not 2 and 3");
        var other = SampleReport.OfSeed(1, solved: 300);
        Write("elsewhere", other with { Verdicts = other.Verdicts! with { Digest = SampleReport.Digest("others") } });
        Fault("a-1,a-2,elsewhere", "b-1,b-2,b-3").ShouldContain("'elsewhere' was asked other test problems");
        Write("old", other with { Verdicts = null });
        Fault("a-1,a-2,old", "b-1,b-2,b-3").ShouldContain("has no verdicts by problem");
        Fault("a-1,a-2,nobody", "b-1,b-2,b-3").ShouldContain("There is no run 'nobody'");
    }

    private string Fault(string before, string after)
    {
        var run = CommandLineRun.Of("runs", "diff", before, after, "--runs", folder.Path);
        run.Code.ShouldBe(2);
        return run.Error;
    }

    private RunGroupDifference Compare(string before, string after) => RunGroupDifference.Of(Runs(before), Runs(after));

    private (string, string)[] Runs(string name) => [.. Enumerable.Range(1, 3).Select(seed => (folder.Path, $"{name}-{seed}"))];

    private void Write(string name, RunReport report)
    {
        var run = new RunFolder(folder.Path, name);
        Directory.CreateDirectory(run.Path);
        File.WriteAllText(run.RecipePath, report.Recipe!.Text);
        File.WriteAllText(run.LedgerPath, "{}");
        File.WriteAllText(run.ReportJsonPath, ReportJson.Write(report));
    }
}
