using System.IO.Compression;
using Distill.Data.Problems;
using DuckDB.NET.Data;
using ZstdSharp;

namespace Distill.Data.Publishing;

/// <summary>One row of a foreign file, or why it cannot be read.</summary>
/// <param name="Place">File and line or row, for messages.</param>
/// <param name="Json">A JSON value; only valid until the next row is asked for.</param>
internal readonly record struct PlacedRow(string Place, ReadOnlyMemory<byte> Json);

/// <summary>
/// Rows of JSON lines (also compressed) and of Parquet, each as JSON, one in memory at a time. Parquet goes through DuckDB, which reads
/// every codec and schema, in bounded memory and without access to any other file.
/// </summary>
internal static class ForeignFile
{
    /// <summary>Longest line; a row may hold dozens of long completions.</summary>
    public const int MaxLineBytes = 64 << 20;

    private static readonly string[] Extensions = [".jsonl", ".ndjson", ".jsonl.gz", ".jsonl.zst", ".parquet"];

    /// <summary>The files that a path means: itself, or those of a folder and below, by name.</summary>
    /// <exception cref="InvalidDataException">There is nothing that can be read.</exception>
    public static IReadOnlyList<string> FilesOf(string path)
    {
        if (File.Exists(path))
            return IsReadable(path) ? [path] : throw new InvalidDataException(
                $"'{path}' is of no kind that is read: {string.Join(", ", Extensions)}.");
        if (!Directory.Exists(path)) throw new InvalidDataException($"There is no file or folder '{path}'.");
        string[] files = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(file => IsReadable(file) && !IsHidden(path, file)).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new InvalidDataException(
            $"The folder '{path}' holds no file that is read: {string.Join(", ", Extensions)}.");
    }

    public static bool IsParquet(string path) => path.EndsWith(".parquet", StringComparison.Ordinal);

    /// <exception cref="InvalidDataException">While enumerating: the file as a whole cannot be read.</exception>
    public static IEnumerable<PlacedRow> Read(string path) => IsParquet(path) ? ReadParquet(path) : ReadLines(path);

    private static bool IsReadable(string path) => Extensions.Any(extension => path.EndsWith(extension, StringComparison.Ordinal));

    private static bool IsHidden(string folder, string file) =>
        Path.GetRelativePath(folder, file).Split('/', '\\').Any(part => part[0] == '.');

    private static IEnumerable<PlacedRow> ReadLines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        using var stream = Decompressed(file, path);
        var lines = new BoundedLines(stream, path, MaxLineBytes);
        while (TryRead(lines, path, out var line))
        {
            if (line.Span.Trim(" \t\r"u8).Length > 0) yield return new PlacedRow($"{path}, line {lines.Number}", line);
        }
    }

    private static Stream Decompressed(FileStream file, string path) => Path.GetExtension(path) switch
    {
        ".gz" => new GZipStream(file, CompressionMode.Decompress),
        ".zst" => new DecompressionStream(file),
        _ => file,
    };

    private static bool TryRead(BoundedLines lines, string path, out ReadOnlyMemory<byte> line)
    {
        try
        {
            return lines.TryRead(out line);
        }
        catch (Exception fault) when (fault is ZstdException or EndOfStreamException)
        {
            throw new InvalidDataException(Printable.Of($"{path}, after line {lines.Number}: {fault.Message}"), fault);
        }
    }

    private static IEnumerable<PlacedRow> ReadParquet(string path)
    {
        using var database = ClosedDatabase.Open([path]);
        using var command = database.CreateCommand();
        command.UseStreamingMode = true;
        command.CommandText = $"SELECT to_json(t)::VARCHAR FROM read_parquet({ClosedDatabase.Quote(path)}) t";
        using var reader = Named(path, 0, command.ExecuteReader);
        for (long row = 1; Named(path, row, reader.Read); row++)
        {
            string json = Named(path, row, () => reader.GetString(0));
            yield return new PlacedRow($"{path}, row {row}", System.Text.Encoding.UTF8.GetBytes(json));
        }
    }

    private static T Named<T>(string path, long row, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DuckDBException fault)
        {
            string place = row == 0 ? path : $"{path}, row {row}";
            throw new InvalidDataException(Printable.Of($"{place}: {fault.Message.Split('\n')[0]}"), fault);
        }
    }
}
