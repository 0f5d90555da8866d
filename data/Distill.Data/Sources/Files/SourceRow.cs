using System.Text.Json;
using Distill.Storage;

namespace Distill.Data.Sources.Files;

/// <summary>A row of a file: an object with named values, or why there is none.</summary>
/// <param name="Value">Valid until the next row is read.</param>
internal readonly record struct SourceRow(SourcePlace Place, JsonElement Value, string? Fault = null);

/// <summary>What no row may go beyond.</summary>
internal static class RowLimits
{
    /// <summary>Bytes of a line, and of a row as JSON.</summary>
    public const int RowBytes = 16 << 20;

    public const int JsonDepth = 32;

    /// <summary>Bytes of a file that is one JSON value, which is read as a whole.</summary>
    public const int WholeFileBytes = 512 << 20;

    public const int Columns = 1000;

    public const long Rows = 10_000_000;

    public static JsonDocumentOptions Json { get; } = new() { AllowDuplicateProperties = false, MaxDepth = JsonDepth };
}

/// <summary>The rows of a file, whatever form it has: JSON lines, a JSON array, CSV or TSV, Parquet.</summary>
internal static class SourceRows
{
    public const string Forms = ".jsonl, .json, .csv, .tsv, each also with .gz or .zst, or .parquet";

    private static readonly string[] Compressions = [".gz", ".zst", ".zstd"];

    /// <param name="columns">The only ones that will be looked at; null: all. Parquet is then read with less work.</param>
    /// <exception cref="InvalidDataException">While enumerating: the file cannot be read, or has too many rows.</exception>
    public static IEnumerable<SourceRow> Read(SourceFile file, IReadOnlyCollection<string>? columns = null)
    {
        if (!File.Exists(file.Path)) throw new InvalidDataException($"There is no file {Printable.Quote(file.Path)}.");
        long rows = 0;
        foreach (var row in FormOf(file) switch
        {
            ".parquet" => ParquetRows.Read(file, columns),
            ".csv" => CsvRows.Read(file, null),
            ".tsv" => CsvRows.Read(file, '\t'),
            ".json" => JsonRows.Read(file),
            _ => JsonLineRows.Read(file),
        })
        {
            if (++rows > RowLimits.Rows)
                throw new InvalidDataException($"{Printable.Of(file.Name)}: more than {RowLimits.Rows:N0} rows; give a part of it.");
            yield return row;
        }
    }

    /// <summary>Whether a file's name says that it holds rows.</summary>
    public static bool IsTable(string name) => Ending(name) is ".jsonl" or ".ndjson" or ".json" or ".csv" or ".tsv" or ".parquet";

    // By name, else by the first bytes.
    private static string FormOf(SourceFile file)
    {
        string ending = Ending(file.Name);
        if (IsTable(file.Name)) return ending;
        Span<byte> first = stackalloc byte[64];
        using var stream = ExpandedStream.Open(file);
        int read = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        var text = first[..read];
        if (text.StartsWith("PAR1"u8)) return ".parquet";
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        return text.TrimStart(" \t\r\n"u8) switch
        {
            [(byte)'{', ..] => ".jsonl",
            [(byte)'[', ..] => ".json",
            _ => throw new InvalidDataException(
                $"{Printable.Of(file.Name)}: neither its name nor its first bytes say what it is; known are {Forms}."),
        };
    }

    private static string Ending(string name)
    {
        string lower = name.ToLowerInvariant();
        foreach (string compression in Compressions)
        {
            if (lower.EndsWith(compression, StringComparison.Ordinal)) lower = lower[..^compression.Length];
        }

        return Path.GetExtension(lower);
    }
}
