using Distill.Data.Problems;
using Distill.Data.Publishing.Formats;
using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Publishing;

/// <summary>What an import takes for granted where the file says nothing. Immutable; every field decides the outcome.</summary>
internal sealed record TraceImportOptions
{
    /// <summary>A name of <see cref="TraceFormats"/>; <c>auto</c> takes the one that the first row of each file fits.</summary>
    public string Format { get; init; } = TraceFormats.Auto;

    /// <summary>What the problems' source is called; null: as the rows say, else the format's name.</summary>
    public string? Source { get; init; }

    /// <summary>Who wrote the completions; null: as the rows say, else <c>unknown</c>.</summary>
    public string? Teacher { get; init; }

    /// <summary>Grades the problems of formats that do not name a verifier; one with options to choose from gets <c>choice</c>.</summary>
    public string Verifier { get; init; } = "math";
}

/// <summary>A row that is no trace: where it is and why.</summary>
internal sealed record BadRow(SourcePlace Place, string Reason)
{
    public override string ToString() => Printable.Of($"{Place}: {Reason}");
}

/// <summary>
/// Traces that others made, as ours: what a row says is kept, the rest follows from <see cref="TraceImportOptions"/>. Verdicts are left
/// out, for they are facts of our verifiers alone. Counts of tokens that no row names are 0.
/// </summary>
internal static class TraceImport
{
    /// <summary>Raised whenever the same file could give other traces; part of cache keys.</summary>
    public const int Version = 2;

    /// <summary>Reads while it is enumerated, one row in memory at a time (of our own Parquet, a row group).</summary>
    /// <param name="path">A file (JSON lines, JSON, CSV, Parquet), or a folder of them.</param>
    /// <param name="skipped">Told of every row that is no trace, which is then left out; null: the first one is a fault.</param>
    /// <exception cref="ArgumentException">The options name an unknown format.</exception>
    /// <exception cref="InvalidDataException">
    /// While enumerating: a row is no trace (named with file and line) and nobody wants to be told, or a file cannot be read at all.
    /// </exception>
    public static IEnumerable<Trace> Read(string path, TraceImportOptions? options = null, Action<BadRow>? skipped = null)
    {
        options ??= new TraceImportOptions();
        if (options.Format is not (TraceFormats.Auto or TraceFormats.Folder)) TraceFormats.Get(options.Format);
        var numbering = new SampleNumbering();
        return ForeignFile.FilesOf(path).SelectMany(file => ReadFile(file, options, numbering, skipped));
    }

    private static IEnumerable<Trace> ReadFile(string file, TraceImportOptions options, SampleNumbering numbering, Action<BadRow>? skipped)
    {
        if (ForeignFile.IsParquet(file) && IsOurs(file, options.Format)) return TraceFile.Read(file);
        return options.Format == TraceFormats.Folder
            ? throw new InvalidDataException($"'{file}' does not have the columns of our traces; name its format with --format.")
            : ReadRows(file, options, numbering, skipped);
    }

    // What our own reader cannot open may be of another writer, which the reader of foreign rows knows or names as damaged.
    private static bool IsOurs(string file, string format) => format switch
    {
        TraceFormats.Folder => TraceColumnSet.Of(file).IsTraces,
        TraceFormats.Auto => TraceColumnSet.TryOf(file) is { IsTraces: true },
        _ => false,
    };

    private static IEnumerable<Trace> ReadRows(string file, TraceImportOptions options, SampleNumbering numbering, Action<BadRow>? skipped)
    {
        var format = options.Format == TraceFormats.Auto ? null : TraceFormats.Get(options.Format);
        foreach (var read in SourceRows.Read(new SourceFile(file, file)))
        {
            List<Trace> traces;
            try
            {
                if (read.Fault is { } fault) throw new FormatException(fault);
                var row = new ForeignRow(read.Value);
                format ??= TraceFormats.Detect(row) ?? throw Unknown(read.Place.ToString(), row);
                traces = [.. format.Read(row).Select(imported => Complete(imported, format, options, numbering))];
            }
            // InvalidOperationException: a property's name is not valid text, e.g. half a surrogate pair.
            catch (Exception reason) when (reason is FormatException or InvalidOperationException)
            {
                var bad = new BadRow(read.Place, reason.Message);
                if (skipped is null) throw new InvalidDataException(bad.ToString(), reason);
                skipped(bad);
                continue;
            }

            foreach (var trace in traces) yield return trace;
        }
    }

    private static InvalidDataException Unknown(string place, ForeignRow row) => new(Printable.Of(
        $"{place}: its columns ({string.Join(", ", row.Names.Take(12))}) are those of no known format; "
        + $"known are {string.Join(", ", TraceFormats.Names)}."));

    private static Trace Complete(ImportedTrace imported, TraceFormat format, TraceImportOptions options, SampleNumbering numbering)
    {
        if (string.IsNullOrWhiteSpace(imported.Problem)) throw new FormatException("the problem is empty.");
        string source = options.Source ?? NonEmpty(imported.Source) ?? format.Name;
        // As of problems in files: the same question belongs to the same split, wherever it was found.
        string signature = ProblemText.SignatureOf(imported.Problem);
        string id = NonEmpty(imported.Id) ?? $"{format.Name}/{ProblemText.IdOf(signature)}";
        return new Trace
        {
            Problem = new Problem(
                id, source, NonEmpty(imported.Domain) ?? source, SplitRule.TryParse(imported.Split, out var split) ? split : Split.Train, 1,
                imported.Problem, imported.ReferenceAnswer ?? "", NonEmpty(imported.ReferenceSolution), signature)
            {
                Verifier = imported.Choices.Count > 0 ? "choice" : options.Verifier,
                System = imported.System,
                Choices = imported.Choices,
            },
            Reasoning = imported.Reasoning,
            Answer = imported.Answer,
            PromptTokens = 0,
            CompletionTokens = imported.CompletionTokens ?? 0,
            StopReason = imported.StopReason ?? (imported.Answer is null ? "length" : "stop"),
            SampleIndex = numbering.Next(id, imported.SampleIndex),
            Seed = 0,
            Sampling = "{}",
            Teacher = options.Teacher ?? NonEmpty(imported.Teacher) ?? "unknown",
            TeacherDigest = "",
            TemplateDigest = "",
            TokenizerFingerprint = "",
        };
    }

    private static string? NonEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}

/// <summary>Numbers the completions of each problem, which a file may hold anywhere; a few bytes a problem.</summary>
internal sealed class SampleNumbering
{
    private readonly Dictionary<ulong, int> next = [];

    /// <param name="given">The number that the row names; kept unless an earlier one has it or a later one.</param>
    public int Next(string problem, int? given)
    {
        ulong key = StableHash.Mix(StableHash.Of(problem));
        int number = Math.Max(given ?? 0, next.GetValueOrDefault(key));
        next[key] = number + 1;
        return number;
    }
}
