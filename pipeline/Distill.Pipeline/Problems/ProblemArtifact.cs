using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Distill.Data.Problems;
using Distill.Data.Sources.Selection;
using Distill.Storage;

namespace Distill.Pipeline.Problems;

/// <summary>What lies beside the problems of a split: what was left out and why, and what each source gave.</summary>
internal static class ProblemArtifact
{
    /// <summary>A JSON object a line.</summary>
    public const string DroppedName = "dropped.jsonl";

    /// <summary>Name, place, revision, digest, licence and counts of each source: for cards.</summary>
    public const string SourcesName = "sources.json";

    private const int LongestText = 400;

    private static readonly JsonWriterOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonWriterOptions Page = new()
        { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>Rows that would have gone to a split; rows that are no problem go with the training problems.</summary>
    public static IEnumerable<DroppedRow> Of(ProblemPool pool, Split split) =>
        pool.Dropped.Where(row => (row.Split ?? Split.Train) == split);

    public static void WriteDropped(Stream stream, IEnumerable<DroppedRow> rows)
    {
        foreach (var row in rows)
        {
            using (var writer = new Utf8JsonWriter(stream, Line))
            {
                writer.WriteStartObject();
                writer.WriteString("source", row.Source);
                writer.WriteString("place", row.Place.ToString());
                writer.WriteString("reason", row.Reason);
                writer.WriteString("detail", row.Detail);
                if (row.Problem is { } problem)
                {
                    writer.WriteString("problem_id", problem.Id);
                    writer.WriteString("problem", problem.Text.Length <= LongestText ? problem.Text : problem.Text[..LongestText] + "…");
                    writer.WriteString("reference_answer", problem.ReferenceAnswer);
                }

                writer.WriteEndObject();
            }

            stream.WriteByte((byte)'\n');
        }
    }

    /// <param name="used">Of this split.</param>
    public static byte[] Sources(
        IReadOnlyList<ResolvedSource> sources, ProblemPool pool, IReadOnlyList<Problem> used, DigestMemory memory)
    {
        using var stream = new MemoryStream();
        var counts = used.CountBy(problem => problem.Source).ToDictionary();
        int pooled = 0;
        using (var writer = new Utf8JsonWriter(stream, Page))
        {
            writer.WriteStartArray();
            foreach (var source in sources)
            {
                var report = source.Section.Family is null ? pool.Reports[pooled++] : null;
                writer.WriteStartObject();
                writer.WriteString("name", source.Section.Name);
                writer.WriteString("kind", source.Kind);
                writer.WriteString("place", source.Place);
                Optional(writer, "revision", source.Revision);
                Optional(writer, "config", source.Section.Config);
                Optional(writer, "split", source.Section.Split);
                Optional(writer, "digest", source.Files.Count == 0 ? null : source.DigestOf(memory));
                Optional(writer, "licence", source.Licence);
                if (report is not null) WriteCounts(writer, report);
                writer.WriteNumber("used", counts.GetValueOrDefault(source.Section.Name));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>In half a sentence: what was left out of a split; empty where nothing was.</summary>
    public static string Summary(IReadOnlyList<DroppedRow> dropped)
    {
        if (dropped.Count == 0) return "";
        var text = new StringBuilder("; left out: ");
        text.AppendJoin(", ", dropped.CountBy(row => row.Reason).OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => $"{pair.Value:N0} {Spoken(pair.Key)}"));
        if (dropped.FirstOrDefault(row => row.Problem is null || row.Reason == DropReason.UnreadableGold) is { } bad)
            text.Append($" (the first: {bad.Place}: {bad.Detail})");
        return text.ToString();
    }

    /// <summary>What is said of one row.</summary>
    public static string SpokenOfOne(string reason) => reason switch
    {
        DropReason.BadRow => "bad row",
        DropReason.UnreadableGold => "no verifier reads the answer",
        DropReason.Duplicate => "asked before",
        DropReason.HeldOut => "held out elsewhere",
        DropReason.SharedPhrase => "words of a held-out one",
        _ => Spoken(reason),
    };

    /// <summary>What is said of several rows.</summary>
    public static string Spoken(string reason) => reason switch
    {
        DropReason.BadRow => "bad rows",
        DropReason.UnreadableGold => "whose answer no verifier can read",
        DropReason.Duplicate => "asked twice",
        DropReason.NearDuplicate => "nearly the same",
        DropReason.HeldOut => "held-out ones again",
        DropReason.SharedPhrase => "with words of held-out ones",
        _ => reason,
    };

    private static void WriteCounts(Utf8JsonWriter writer, SourceReport report)
    {
        writer.WriteNumber("rows", report.Rows);
        writer.WriteNumber("bad", report.Bad);
        writer.WriteStartObject("dropped");
        foreach (var (reason, count) in report.Dropped) writer.WriteNumber(reason, count);
        writer.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null) writer.WriteString(name, value);
    }
}
