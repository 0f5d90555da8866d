using System.Text.Encodings.Web;
using System.Text.Json;
using Distill.Data.Traces;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Publishing.Formats;

/// <summary>A trace on its way out, with its grade where it has one.</summary>
internal sealed record PublishedTrace(Trace Trace, GradedTrace? Grade = null)
{
    public bool IsCorrect => Grade?.Verdict == Verdict.Correct;

    /// <summary>What the teacher wrote, in one text.</summary>
    public string Completion => ReasoningText.Join(Trace.Reasoning, Trace.Answer);

    public bool IsComplete => Trace.StopReason != "length" && Trace.Answer is not null;
}

/// <summary>What a foreign row says of one trace; null is what it does not say. <see cref="TraceImport"/> fills in the rest.</summary>
internal sealed record ImportedTrace(string Problem, string Reasoning, string? Answer)
{
    public string? Id { get; init; }
    public string? ReferenceAnswer { get; init; }
    public string? ReferenceSolution { get; init; }
    public string? System { get; init; }
    public IReadOnlyList<string> Choices { get; init; } = [];
    public string? Source { get; init; }
    public string? Domain { get; init; }
    public string? Split { get; init; }
    public string? Teacher { get; init; }
    public string? StopReason { get; init; }
    public int? SampleIndex { get; init; }
    public int? CompletionTokens { get; init; }
}

/// <summary>
/// A way in which others keep traces, as one JSON object a row: both directions, and the types of its columns for Parquet. One short file
/// each, registered by a line in <see cref="TraceFormats"/>. Stateless and thread-safe.
/// </summary>
/// <param name="Name">The word on the command line.</param>
/// <param name="Meaning">What it is, for the help: half a sentence.</param>
internal abstract record TraceFormat(string Name, string Meaning)
{
    /// <summary>The columns in order, with their types as DuckDB spells them.</summary>
    public abstract IReadOnlyList<(string Name, string Type)> Columns { get; }

    /// <summary>Whether a row holds all traces of a problem; else it holds one trace.</summary>
    public virtual bool IsRowPerProblem => false;

    /// <summary>Whether a row looks like one of this format, by the names of its columns.</summary>
    public abstract bool Fits(ForeignRow row);

    /// <param name="traces">Those of one row, at least one: see <see cref="IsRowPerProblem"/>.</param>
    public abstract void Write(Utf8JsonWriter row, IReadOnlyList<PublishedTrace> traces);

    /// <exception cref="FormatException">The row is none of this format; the message says what is wrong with it.</exception>
    public abstract IEnumerable<ImportedTrace> Read(ForeignRow row);

    /// <summary>The properties that travel with a trace where a format leaves room: its trainers ignore what they do not know.</summary>
    protected static void WriteOrigin(Utf8JsonWriter row, Trace trace)
    {
        row.WriteString("problem_id", trace.Problem.Id);
        row.WriteString("reference_answer", trace.Problem.ReferenceAnswer);
        row.WriteString("domain", trace.Problem.Domain);
        row.WriteString("split", Problems.SplitRule.Word(trace.Problem.Split));
        row.WriteString("source", trace.Problem.Source);
        row.WriteString("teacher", trace.Teacher);
        row.WriteNumber("sample_index", trace.SampleIndex);
        row.WriteNumber("completion_tokens", trace.CompletionTokens);
    }

    /// <summary>Columns of <see cref="WriteOrigin"/>.</summary>
    protected static IReadOnlyList<(string Name, string Type)> OriginColumns { get; } =
    [
        ("problem_id", "VARCHAR"), ("reference_answer", "VARCHAR"), ("domain", "VARCHAR"), ("split", "VARCHAR"), ("source", "VARCHAR"),
        ("teacher", "VARCHAR"), ("sample_index", "INTEGER"), ("completion_tokens", "INTEGER"),
    ];

    /// <summary>Reads what <see cref="WriteOrigin"/> wrote, where it is there.</summary>
    protected static ImportedTrace WithOrigin(ImportedTrace trace, ForeignRow row) => trace with
    {
        Id = row.OptionalText("problem_id") ?? row.OptionalText("id") ?? row.OptionalText("uuid"),
        ReferenceAnswer = row.OptionalText("reference_answer") ?? row.OptionalText("answer"),
        Domain = row.OptionalText("domain"),
        Split = row.OptionalText("split"),
        Source = row.OptionalText("source"),
        Teacher = row.OptionalText("teacher") ?? row.OptionalText("model"),
        SampleIndex = row.OptionalNumber("sample_index"),
        CompletionTokens = row.OptionalNumber("completion_tokens"),
    };
}

/// <summary>Every format by its name.</summary>
internal static class TraceFormats
{
    /// <summary>Name of the folder layout of Hugging Face <c>datasets</c> with our own columns.</summary>
    public const string Folder = "hf";

    /// <summary>Take the format that fits the first row.</summary>
    public const string Auto = "auto";

    public static IReadOnlyList<TraceFormat> All { get; } =
    [
        new MessagesFormat(),
        new PromptCompletionFormat(),
        new OpenR1Format(),
        new OpenThoughtsFormat(),
        new OpenMathReasoningFormat(),
    ];

    public static IReadOnlyList<string> Names { get; } = [Folder, .. All.Select(format => format.Name)];

    /// <summary>Text stays readable: nothing here is put into HTML.</summary>
    public static JsonWriterOptions Spelling { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ArgumentException">There is no such format; the message lists them.</exception>
    public static TraceFormat Get(string name) => All.FirstOrDefault(format => format.Name == name) ?? throw new ArgumentException(
        $"There is no format {Printable.Quote(name)}; there are {string.Join(", ", Names)}.", nameof(name));

    /// <summary>The most particular one that a row fits; null when none does.</summary>
    public static TraceFormat? Detect(ForeignRow row) => All.Reverse().FirstOrDefault(format => format.Fits(row));
}
