using Distill.Data.Traces;
using Distill.Storage;
using Parquet;

namespace Distill.Data.Publishing;

/// <summary>Which of our columns a Parquet file has.</summary>
/// <param name="IsTraces">All that a trace needs.</param>
/// <param name="IsGraded">Those of its grade too.</param>
internal sealed record TraceColumnSet(bool IsTraces, bool IsGraded)
{
    /// <summary>Looks at the footer alone.</summary>
    /// <returns>Null when the file cannot be read as Parquet, at least not by the reader of our own traces.</returns>
    public static TraceColumnSet? TryOf(string file)
    {
        try
        {
            return Of(file);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Looks at the footer alone.</summary>
    /// <exception cref="InvalidDataException">The file is no Parquet.</exception>
    public static TraceColumnSet Of(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var names = NamesIn(stream).GetAwaiter().GetResult();
            return new TraceColumnSet(Has(TraceColumns.Raw), Has(TraceColumns.Graded));

            bool Has(IReadOnlyList<TraceColumn> columns) => columns.All(column => column.IsOptional || names.Contains(column.Name));
        }
        // Parquet.Net meets damage with exceptions of many kinds; all of them mean that this file is bad.
        catch (Exception fault) when (fault is not UnauthorizedAccessException)
        {
            throw new InvalidDataException(Printable.Of($"Cannot read traces from '{file}': {fault.Message.TrimEnd('.')}."), fault);
        }
    }

    private static async Task<HashSet<string>> NamesIn(Stream stream)
    {
        await using var reader = await ParquetReader.CreateAsync(stream, null, true).ConfigureAwait(false);
        return [.. reader.Schema.DataFields.Select(leaf => leaf.Path.FirstPart ?? leaf.Name)];
    }
}
