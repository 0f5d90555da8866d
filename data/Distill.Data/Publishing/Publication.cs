using System.Globalization;
using System.Text;
using Distill.Data.Publishing.Licences;

namespace Distill.Data.Publishing;

/// <summary>An artefact that what is published was made from.</summary>
internal sealed record LineageStep(string Name, string Digest);

/// <summary>What is said of a published set of traces: in its card for people and in its metadata for machines. Immutable.</summary>
internal sealed record Publication
{
    public required string Title { get; init; }

    public required TraceStatistics Statistics { get; init; }

    public required bool IsGraded { get; init; }

    /// <summary>Whether only traces that may be trained on are published.</summary>
    public required bool KeptOnly { get; init; }

    public IReadOnlyList<LicensedPart> Licensed { get; init; } = [];

    /// <summary>Of the whole; see <see cref="PublishPolicy.LicenceOf"/>.</summary>
    public string Licence { get; init; } = PublishPolicy.Unknown;

    /// <summary>What it was made from, nearest first.</summary>
    public IReadOnlyList<LineageStep> Lineage { get; init; } = [];

    /// <summary>Where it will be found; null when that is not known.</summary>
    public string? Url { get; init; }

    public string Creator { get; init; } = "unknown";

    /// <summary>Null leaves the date out.</summary>
    public DateOnly? Published { get; init; }

    public string Summary => $"{Number(Statistics.Rows)} completions of {Number(Statistics.Problems)} problems by "
        + $"{string.Join(", ", Statistics.Teachers.Select(teacher => teacher.Word))}, with their reasoning"
        + (IsGraded ? KeptOnly ? ", each found correct and kept." : ", each with a verifier's verdict." : ", as generated.");

    /// <summary>The card's text, Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder(LicenceMarkdown.Cell(Summary)).Append("\n\n");
        Table(text, "Lengths", ["", "median", "95 %", "longest"],
        [
            ["completion, tokens", .. Of(Statistics.CompletionTokens)], ["prompt, tokens", .. Of(Statistics.PromptTokens)],
        ]);
        Tallies(text, "Verdicts", Statistics.Verdicts, "Of all completions, those that are left out included.");
        Tallies(text, "Left out", Statistics.DropReasons, KeptOnly ? "Not in these files." : "In these files, with `keep` false.");
        Tallies(text, "How completions ended", Statistics.StopReasons);
        Tallies(text, "Sources of the problems", Statistics.Sources);
        Tallies(text, "Domains", Statistics.Domains);
        Tallies(text, "Teachers", Statistics.Teachers);
        Tallies(text, "Sampling", Statistics.Samplings);
        text.Append(LicenceMarkdown.Section(Licensed));
        if (Lineage.Count > 0)
            Table(text, "Made from", ["artefact", "sha256"], Lineage.Select(step => (string[])[step.Name, $"`{step.Digest}`"]));
        return text.ToString();
    }

    private static void Tallies(StringBuilder text, string title, IReadOnlyList<Tally> tallies, string note = "")
    {
        if (tallies.Count == 0) return;
        Table(text, title, ["", "completions"], tallies.Select(tally => (string[])[tally.Word, Number(tally.Count)]), note);
    }

    private static void Table(StringBuilder text, string title, string[] header, IEnumerable<string[]> rows, string note = "")
    {
        text.Append("## ").Append(title).Append("\n\n");
        if (note.Length > 0) text.Append(note).Append("\n\n");
        text.Append("| ").AppendJoin(" | ", header).Append(" |\n|").Append(string.Concat(header.Select(_ => "---|"))).Append('\n');
        foreach (string[] row in rows) text.Append("| ").AppendJoin(" | ", row.Select(LicenceMarkdown.Cell)).Append(" |\n");
        text.Append('\n');
    }

    private static string[] Of(Lengths lengths) => [Number(lengths.Median), Number(lengths.P95), Number(lengths.Longest)];

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
