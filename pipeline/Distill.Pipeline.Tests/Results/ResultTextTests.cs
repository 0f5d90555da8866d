using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>Tables and numbers that are made of committed reports, from reports whose numbers are known.</summary>
public sealed class ResultTextTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ResultText results;

    public ResultTextTests()
    {
        var files = new ResultFiles(folder.Path);
        results = new ResultText(files);
        for (int seed = 1; seed <= 3; seed++) Write(files, $"quickstart/seed-{seed}", SampleReport.OfSeed(seed, solved: 380 + (10 * seed)));
        Write(files, "experiments/base", SampleReport.OfSeed(1, solved: 390));
        Write(files, "experiments/longer", SampleReport.OfSeed(1, solved: 440, epochs: 8));
        Write(files, "experiments/same", SampleReport.OfSeed(1, solved: 390));
        Write(files, "experiments/shorter", SampleReport.OfSeed(1, solved: 300, epochs: 2));
        for (int seed = 1; seed <= 3; seed++)
        {
            Write(files, $"experiments/many/base.seed-{seed}", SampleReport.OfSeed(seed, solved: 380 + (20 * seed)));
            Write(files, $"experiments/many/luck.seed-{seed}", SampleReport.OfSeed(seed, solved: 390 + (20 * seed)));
        }
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Seeds_stand_side_by_side_with_their_mean()
    {
        string[] lines = results.Block("quickstart").Split('\n');
        lines[0].ShouldBe("| model | greedy, seed 1 | greedy, seed 2 | greedy, seed 3 | greedy, mean | sampled pass@1, mean "
            + "| originals → twins | of the way from base to teacher |");
        string onnx = lines.First(line => line.StartsWith("| onnx |", StringComparison.Ordinal));
        onnx.ShouldStartWith("| onnx | 78.0 % | 80.0 % | 82.0 % | 80.0 % [");
        // (400 − 2) / (486 − 2)
        onnx.ShouldContain("| 82.2 % [");
        lines.Single(line => line.StartsWith("500 held-out problems, the same for every seed", StringComparison.Ordinal))
            .ShouldContain("Means are over 3 seeds");
    }

    [Fact]
    public void A_problem_counts_once_however_many_seeds_asked_it()
    {
        double[] one = [.. Enumerable.Range(0, 500).Select(i => i < 400 ? 1.0 : 0)];
        var files = new ResultFiles(folder.Path);
        for (int seed = 1; seed <= 3; seed++) Write(files, $"equal/seed-{seed}", SampleReport.OfSeed(seed, solved: 400));
        results.Number("equal.onnx.greedy.range").ShouldBe(ReportNumbers.Range(Proportion.Clustered(one), 500));
        results.Number("equal.problems").ShouldBe("500");
        Write(files, "equal/seed-3", SampleReport.OfSeed(3, solved: 400) with
        {
            Verdicts = SampleReport.OfSeed(3, solved: 400).Verdicts! with { Digest = SampleReport.Digest("other problems") },
        });
        results.Number("equal.problems").ShouldBe("1,500");
        results.Number("equal.onnx.greedy.range").ShouldBe(ReportNumbers.Range(Proportion.Clustered([.. one, .. one, .. one]), 1_500));
    }

    [Fact]
    public void An_experiment_says_what_was_changed_and_what_came_of_it()
    {
        string[] lines = results.Block("experiments").Split('\n');
        lines[2].ShouldStartWith("| base |  | 1 | 500 | 78.0 % [");
        string longer = lines.First(line => line.StartsWith("| longer |", StringComparison.Ordinal));
        longer.ShouldContain("| `sft.epochs`: 5 → 8 | 1 | 500 | 88.0 % [");
        longer.ShouldContain("| +10.0 [");
        longer.ShouldEndWith("| better |");
        lines.First(line => line.StartsWith("| same |", StringComparison.Ordinal)).ShouldEndWith("| no difference |");
        lines.First(line => line.StartsWith("| shorter |", StringComparison.Ordinal)).ShouldEndWith("| worse |");
    }

    // 80, 84, 88 % against 82, 86, 90 %: on the same problems that is far from chance, among seeds it is not.
    [Fact]
    public void A_difference_within_what_seeds_differ_is_none()
    {
        string luck = results.Block("experiments/many").Split('\n').First(line => line.StartsWith("| luck |", StringComparison.Ordinal));
        luck.ShouldContain("| 3 | 500 |");
        luck.ShouldEndWith("| no difference |");
    }

    [Theory]
    [InlineData("quickstart/seed-1.onnx.greedy", "78.0 %")]
    [InlineData("quickstart.onnx.greedy", "80.0 %")]
    [InlineData("quickstart.onnx:base.greedy", "+79.6")]
    [InlineData("quickstart.onnx.recovered", "82.2 %")]
    [InlineData("quickstart.onnx.domain-words", "68.8 %")]
    [InlineData("quickstart.onnx.parameters", "402 k")]
    [InlineData("quickstart.seeds", "3")]
    [InlineData("quickstart.parity.mismatches", "0")]
    public void Single_numbers_are_found(string path, string number) => results.Number(path).ShouldBe(number);

    [Theory]
    [InlineData("quickstart.onnx")]
    [InlineData("quickstart.nobody.greedy")]
    [InlineData("nothing.onnx.greedy")]
    public void What_is_not_there_is_not_made_up(string path) => Should.Throw<InvalidOperationException>(() => results.Number(path));

    [Fact]
    public void Marks_are_filled_and_what_is_around_them_stays()
    {
        const string text = "a <!-- n: x.y.z -->?<!-- /n --> b\n<!-- results: x -->\nold\n<!-- end results -->\n"
            + "c `<!-- results: NAME -->`\n";
        string filled = MarkedText.Fill(text, name => $"[{name}]\n", path => $"({path})");
        filled.ShouldBe("a <!-- n: x.y.z -->(x.y.z)<!-- /n --> b\n<!-- results: x -->\n\n[x]\n\n<!-- end results -->\n"
            + "c `<!-- results: NAME -->`\n");
        MarkedText.Fill(filled, name => $"[{name}]\n", path => $"({path})").ShouldBe(filled);
    }

    [Theory]
    [InlineData("<!-- results: x -->\nold\n")]
    [InlineData("<!-- n: x.y -->1")]
    [InlineData("<!-- n: x.y -->1 <!-- n: x.z -->2<!-- /n -->")]
    [InlineData("<!-- results: x -->\n<!-- results: y -->\n<!-- end results -->")]
    public void A_mark_without_an_end_is_a_fault(string text) =>
        Should.Throw<InvalidOperationException>(() => MarkedText.Fill(text, _ => "", _ => ""));

    private static void Write(ResultFiles files, string name, RunReport report)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(files.PathOf(name))!);
        File.WriteAllText(files.PathOf(name), ReportJson.Write(SlimReport.Of(report)));
    }
}
