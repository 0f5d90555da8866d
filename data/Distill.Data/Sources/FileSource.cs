using Distill.Data.Sources.Files;
using Distill.Data.Sources.Formats;
using Distill.Storage;

namespace Distill.Data.Sources;

/// <summary>How the rows of files become problems.</summary>
internal sealed record RowReading
{
    /// <summary>Name of a format, or <see cref="ProblemFormats.Auto"/>: the first row decides.</summary>
    public string Format { get; init; } = ProblemFormats.Auto;

    /// <summary>What the source says of its columns; it goes before what the format knows.</summary>
    public ColumnMapping Columns { get; init; } = ColumnMapping.None;

    /// <summary>Who grades the answers; null: as format and answer suggest.</summary>
    public string? Verifier { get; init; }

    /// <summary>Only the questions count: a row without an answer is no bad row.</summary>
    public bool QuestionsOnly { get; init; }
}

/// <summary>Problems in the rows of files: JSON lines, JSON, CSV, TSV, Parquet, compressed or not.</summary>
internal sealed class FileSource(string name, IReadOnlyList<SourceFile> files, RowReading reading) : IProblemSource
{
    public string Name => name;

    /// <summary>In the order in which they are read.</summary>
    public IReadOnlyList<SourceFile> Files => files;

    /// <summary>What the rows are read as; null where no file has a row that says so.</summary>
    public IProblemFormat? Format => reading.Format != ProblemFormats.Auto ? ProblemFormats.Get(reading.Format)
        : OfFirstRow(row => ProblemFormats.Guess(row, reading.Columns));

    public IEnumerable<SourceItem> Read()
    {
        // Where no row says how rows are written, each is bad in its own way.
        var format = Format ?? ProblemFormats.Get(ColumnsFormat.FormatName);
        var columns = reading.Columns.Over(format.Columns);
        var maker = new ProblemMaker(name, reading.Verifier, !reading.QuestionsOnly);
        var ids = new Dictionary<string, SourcePlace>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var row in SourceRows.Read(file, Only(format, columns)))
            {
                var item = row.Fault is { } fault ? new SourceItem(row.Place, null, fault) : Item(row, format, columns, maker);
                yield return columns.Id is null || item.Problem is null ? item : Once(item, ids);
            }
        }
    }

    private SourceItem Item(SourceRow row, IProblemFormat format, ColumnMapping columns, ProblemMaker maker)
    {
        try
        {
            var values = new RowValues(row.Value);
            return new SourceItem(row.Place, maker.Make(reading.QuestionsOnly && format is not DistillFormat
                ? new ProblemDraft(format.Question(values, columns), "") : format.Read(values, columns)));
        }
        catch (FormatException reason)
        {
            return new SourceItem(row.Place, null, reason.Message.TrimEnd('.'));
        }
        catch (InvalidOperationException)
        {
            return new SourceItem(row.Place, null, "a name in it is not valid text"); // what JsonElement throws for it
        }
    }

    // Answers, votes and twins are told apart by the id alone. Ids by content that come twice are equal questions.
    private static SourceItem Once(SourceItem item, Dictionary<string, SourcePlace> ids) => ids.TryAdd(item.Problem!.Id, item.Place)
        ? item
        : new SourceItem(item.Place, null, $"the id {Printable.Quote(item.Problem.Id)} is that of {ids[item.Problem.Id]} too");

    // Only a format that names all its columns knows what it will not need.
    private static string[]? Only(IProblemFormat format, ColumnMapping columns) =>
        format is OpenR1Format or Gsm8kFormat or MathFormat ? [.. columns.Columns] : null;

    /// <summary>What the first row that can be read says; null where there is none.</summary>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public T? OfFirstRow<T>(Func<RowValues, T?> say)
        where T : class
    {
        foreach (var file in files)
        {
            foreach (var row in SourceRows.Read(file))
            {
                if (row.Fault is null) return say(new RowValues(row.Value));
            }
        }

        return null;
    }
}
