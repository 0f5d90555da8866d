using Distill.Data.Problems;
using Distill.Storage;

namespace Distill.Data.Sources.Formats;

/// <summary>What a row says of a problem, before it gets its id, signature and verifier.</summary>
/// <param name="Text">What is asked.</param>
/// <param name="Answer">The gold, without what marks it.</param>
internal sealed record ProblemDraft(string Text, string Answer)
{
    public string? Solution { get; init; }

    public IReadOnlyList<string> Choices { get; init; } = [];

    public string? System { get; init; }

    public string? Domain { get; init; }

    public int Level { get; init; } = 1;

    /// <summary>The source's own name of the row; null: by its content.</summary>
    public string? Id { get; init; }

    /// <summary>Whose answers these are where the source says nothing else; null: as the answer looks.</summary>
    public string? Verifier { get; init; }

    /// <summary>A problem as it is, with its own id and signature: of files that hold problems already.</summary>
    public Problem? Whole { get; init; }
}

/// <summary>A way of writing problems down that is known by name. Stateless; safe for concurrent use.</summary>
internal interface IProblemFormat
{
    /// <summary>What recipes and commands call it.</summary>
    string Name { get; }

    /// <summary>What it looks like, in half a sentence.</summary>
    string Description { get; }

    /// <summary>Where it looks for what, unless a source says otherwise.</summary>
    ColumnMapping Columns { get; }

    /// <summary>Whether a row without any other hint is written so.</summary>
    bool Fits(RowValues row);

    /// <param name="columns">This format's, with what the source says over them.</param>
    /// <exception cref="FormatException">The row is no problem; the message says why, in half a sentence.</exception>
    ProblemDraft Read(RowValues row, ColumnMapping columns);

    /// <summary>The question alone, where nothing else counts.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    string Question(RowValues row, ColumnMapping columns) => ColumnsFormat.Question(row, columns);
}

/// <summary>The formats by name. A new one is a class and one line here; those that say most of a row come first.</summary>
internal static class ProblemFormats
{
    /// <summary>The first row decides.</summary>
    public const string Auto = "auto";

    public static IReadOnlyList<IProblemFormat> All { get; } =
    [
        new DistillFormat(),
        new OpenThoughtsFormat(),
        new OpenR1Format(),
        new MessagesFormat(),
        new MultipleChoiceFormat(),
        new Gsm8kFormat(),
        new MathFormat(),
        new ColumnsFormat(),
    ];

    public static IReadOnlyList<string> Names { get; } = [Auto, .. All.Select(format => format.Name)];

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static IProblemFormat Get(string name) => All.FirstOrDefault(format => format.Name == name)
        ?? throw new ArgumentException($"Unknown format {Printable.Quote(name)}. Known: {string.Join(", ", Names)}.", nameof(name));

    /// <summary>
    /// What a row looks like; a question that a source names itself is one of columns, unless its answer is written as known.
    /// </summary>
    public static IProblemFormat Guess(RowValues row, ColumnMapping given) => All.First(format =>
        (given.Question is null || format is ColumnsFormat or Gsm8kFormat or MultipleChoiceFormat) && Fits(format, row, given));

    private static bool Fits(IProblemFormat format, RowValues row, ColumnMapping given)
    {
        try
        {
            if (format is Gsm8kFormat && given.Answer is { } answer) return Gsm8kFormat.IsAnswer(answer.Read(row));
            return format is MultipleChoiceFormat && given.Choices is not null || format.Fits(row);
        }
        catch (Exception reason) when (reason is FormatException or InvalidOperationException)
        {
            return false; // a value of another kind than the format has, or a name that is no text
        }
    }
}
