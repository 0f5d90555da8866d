using Distill.Export.Parity;

namespace Distill.Cli.Output;

/// <summary>What <c>distill verify</c> shows: a line for everything that was compared, in 80 columns.</summary>
internal static class ParityOutput
{
    private const int Width = 11; // of the words before each line

    /// <param name="results">Written to.</param>
    /// <param name="exported">Folder and precision.</param>
    /// <param name="missing">Runtimes that were asked for and not run, a sentence each.</param>
    public static void Show(
        ResultWriter results, string exported, string checkpoint, ParityReport report, IReadOnlyList<string> missing)
    {
        void Line(string word, string text)
        {
            string lead = word;
            foreach (string line in WrappedText.Lines(text, Width))
            {
                results.Line(lead.PadRight(Width) + line.TrimStart());
                lead = "";
            }
        }

        Line("model", exported);
        Line("against", checkpoint);
        foreach (var row in ParityRows.Of(report))
        {
            string allowed = row.Allowed.Length == 0 ? "" : $"; allowed: {row.Allowed}";
            Line(row.Passed == false ? "REFUSED" : row.Passed == true ? "ok" : "", $"{row.Name}: {row.Measured}{allowed}");
        }

        foreach (string reason in missing) Line("not run", reason);
        if (report.Fault is { } fault) Line("place", fault.Words);
        if (report.Passed) Line("verdict", Verdict(report));
    }

    /// <summary>What a gate that passed says, in the words of what it measured.</summary>
    public static string Verdict(ParityReport report) => report.Quality is { } quality
        ? $"parity holds within the limits of rounding: {ParityFigure.Of(quality.PerplexityRatio)} times the perplexity, the same most "
            + $"probable token at {ParityFigure.Percent(quality.TopAgreement)} of the positions."
        : $"parity holds: the same numbers within {ParityFigure.Of(report.Tolerance.RelativeLogits)} of the largest logit, "
            + (report.GreedyMismatches == 0 ? "and the same tokens."
                : $"and {ParityFigure.Count(report.GreedyMismatches)} of {ParityFigure.Count(report.GreedyTokensCompared)} tokens differ.");
}
