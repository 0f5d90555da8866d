using System.Globalization;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Reporting;

public sealed class ReportTableTests
{
    private static IReadOnlyList<string> Cells(RunReport report, string model) =>
        ReportTable.Of(report).Rows.Single(row => row[0] == model);

    [Fact]
    public void Models_come_in_the_order_of_the_pipeline() =>
        ReportTable.Of(SampleReport.Full).Rows.Select(row => row[0]).ShouldBe(["teacher", "base", "answer-only", "sft", "rl", "onnx"]);

    [Fact]
    public void Every_number_comes_from_the_report()
    {
        foreach (var row in SampleReport.Full.Evaluations)
        {
            string share(double value) => (value * 100).ToString("F1", CultureInfo.InvariantCulture);
            string range(Interval interval) => $"[{share(interval.Low)}–{share(interval.High)}]";
            Cells(SampleReport.Full, row.Model).ShouldBe(
                [
                    row.Model, row.Model == "teacher" ? "1.81 M" : "402 k", $"{share(row.Greedy)} % {range(row.GreedyInterval95)}",
                    $"{share(row.PassAt1!.Value)} % {range(row.Interval95!.Value)}", $"{share(row.MajAtK!.Value)} % (k = 4)", "41.4",
                    $"{share(row.Truncated)} %", $"{share(row.Twins!.Original)} → {share(row.Twins.Perturbed)} %",
                ]);
        }
    }

    [Fact]
    public void What_was_not_measured_is_a_dash_and_votes_need_a_voter()
    {
        var bare = SampleReport.Full.Evaluations[0] with { PassAt1 = null, Interval95 = null, MajAtK = null, Twins = null };
        var table = ReportTable.Of(new RunReport { Run = "r", RecipeDigest = "", Evaluations = [bare] });
        table.Header.ShouldNotContain("maj@k");
        table.Rows[0].Count.ShouldBe(table.Header.Count);
        table.Rows[0].Count(cell => cell == "—").ShouldBe(3);
    }

    [Fact]
    public void Few_problems_carry_no_decimals()
    {
        var few = SampleReport.Full.Evaluations[0] with { Problems = 60, Greedy = 17.0 / 60, GreedyInterval95 = Proportion.Wilson(17, 60) };
        Cells(SampleReport.Full with { Evaluations = [few] }, "onnx")[2].ShouldBe("28 % [19–41]");
    }

    [Theory]
    [InlineData(0.0, "0.0 %")]
    [InlineData(0.0004, "<0.1 %")]
    [InlineData(0.9996, ">99.9 %")]
    [InlineData(1.0, "100.0 %")]
    public void Almost_none_and_almost_all_do_not_read_as_none_and_all(double share, string expected) =>
        Cells(SampleReport.Full with { Evaluations = [SampleReport.Full.Evaluations[0] with { Truncated = share }] }, "onnx")[6]
            .ShouldBe(expected);

    [Fact]
    public void Markdown_is_a_table_whatever_a_model_is_called()
    {
        string[] lines =
            ReportTable.Of(SampleReport.Full with { Evaluations = [SampleReport.Full.Evaluations[0] with { Model = "a|b\n<c>" }] })
                .ToMarkdown().TrimEnd().Split('\n');
        lines.Length.ShouldBe(3);
        lines[1].ShouldBe("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        lines[2].ShouldStartWith("| a\\|b &lt;c> | ");
    }

    [Fact]
    public void The_headline_tells_the_way_and_what_became_of_the_file() =>
        Findings.Headline(SampleReport.Full)
            .ShouldBe("base 0.4 % → steps 78.4 % → RL 80.2 % (answer-only 21.0 %, teacher 97.2 %); "
                + "exported file identical to the trained model");

    [Fact]
    public void A_headline_without_models_says_so() =>
        Findings.Headline(new RunReport { Run = "r", RecipeDigest = "" }).ShouldBe("no model was evaluated");
}
