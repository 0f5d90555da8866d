using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting.Plots;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>How long the teacher's traces and the models' answers are, and which of them are right.</summary>
internal static class LengthSection
{
    public static Html Of(RunReport report, ReportModels models) => Html.If(report.Lengths.Count > 0, () => Parts.Section(
        "Lengths and verdicts",
        "Completions by their length in tokens: the traces that the students could learn from, and each model's greedy answers to the test "
        + "problems. One scale of lengths for all, so that the shapes can be compared; each has its own counts.",
        Html.Of($"""
            {Parts.Legend([("", "s0", "right"), ("", "wrong", "wrong"), ("", "undecidable", "undecidable")])}
            <div class="plots small">{report.Lengths.Select(length => Figure(length, models))}</div>
            """)));

    private static Html Figure(LengthReport length, ReportModels models)
    {
        string color = models.ColorOf(length.AreTraces ? Graph.StageGraph.Teacher : length.Model);
        string name = length.AreTraces ? $"traces of {length.Model}" : length.Model;
        long right = length.Classes.Sum(each => each.Right);
        return Html.Of($"""
            <figure><figcaption>{name}</figcaption>
            <p class="note">{ReportNumbers.Count(length.Count)} completions, {Right(length, right)} right;
            half of them up to {ReportNumbers.Count(length.Median)} tokens, the longest {ReportNumbers.Count(length.Longest)}</p>
            {Histogram.Of($"Lengths of {name}, by verdict", color, length.Width, length.Classes)}</figure>
            """);
    }

    // All traces of the run are counted, several of a problem among them: that is no sample. Answers to the test problems are one.
    private static string Right(LengthReport length, long right)
    {
        if (length.AreTraces) return ReportNumbers.Count(right);
        int sample = (int)Math.Min(length.Count, int.MaxValue);
        return $"{ReportNumbers.Percent((double)right / length.Count, sample)} "
            + $"({ReportNumbers.Range(Proportion.Wilson(right, length.Count), sample)})";
    }
}
