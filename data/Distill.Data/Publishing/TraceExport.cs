using System.Text.Json;
using Distill.Data.Publishing.Formats;
using Distill.Storage;

namespace Distill.Data.Publishing;

/// <summary>
/// Traces as JSON lines of a foreign format, one problem in memory at a time. Stateless; each call makes one file, whole or not at all.
/// </summary>
internal static class TraceExport
{
    /// <summary>Longest row that becomes Parquet.</summary>
    private const int MaxRowBytes = 64 << 20;

    /// <param name="path">The final file; what it holds stays until the new one is whole.</param>
    /// <param name="replace">Whether other content under that name is replaced; else it is a conflict.</param>
    /// <returns>How many rows were written.</returns>
    /// <exception cref="CommitConflictException">The name holds other content.</exception>
    public static long WriteLines(string path, IEnumerable<PublishedTrace> traces, TraceFormat format, bool replace = false)
    {
        long rows = 0;
        if (replace) ReplacedFile.Write(path, stream => rows = Write(stream, traces, format));
        else CommittedFile.Write(path, stream => rows = Write(stream, traces, format));
        return rows;
    }

    /// <summary>The same as Parquet, by way of JSON lines beside it, so that memory stays flat.</summary>
    /// <inheritdoc cref="WriteLines"/>
    public static long WriteParquet(string path, IEnumerable<PublishedTrace> traces, TraceFormat format, bool replace = false)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!, mark = $".{Path.GetFileName(path)}.{Environment.ProcessId}";
        Directory.CreateDirectory(folder);
        string lines = Path.Combine(folder, mark + ".jsonl"), table = Path.Combine(folder, mark + ".parquet");
        try
        {
            long rows;
            using (var stream = File.Create(lines)) rows = Write(stream, traces, format);
            Convert(lines, table, format);
            using var made = File.OpenRead(table);
            if (replace) ReplacedFile.Write(path, made.CopyTo);
            else CommittedFile.Write(path, made.CopyTo);
            return rows;
        }
        finally
        {
            File.Delete(lines);
            File.Delete(table);
        }
    }

    private static void Convert(string lines, string table, TraceFormat format)
    {
        using var database = ClosedDatabase.Open([lines, table]);
        using var command = database.CreateCommand();
        string columns = string.Join(", ", format.Columns.Select(column => $"\"{column.Name}\": {ClosedDatabase.Quote(column.Type)}"));
        command.CommandText = $"COPY (SELECT * FROM read_json({ClosedDatabase.Quote(lines)}, format = 'newline_delimited', "
            + $"maximum_object_size = {MaxRowBytes}, columns = {{{columns}}})) "
            + $"TO {ClosedDatabase.Quote(table)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 10000)";
        command.ExecuteNonQuery();
    }

    /// <param name="stream">Written to and flushed, not disposed.</param>
    /// <inheritdoc cref="WriteLines" path="/returns"/>
    public static long Write(Stream stream, IEnumerable<PublishedTrace> traces, TraceFormat format)
    {
        using var writer = new Utf8JsonWriter(stream, TraceFormats.Spelling);
        long rows = 0;
        foreach (var row in format.IsRowPerProblem ? ByProblem(traces) : traces.Select(trace => (PublishedTrace[])[trace]))
        {
            writer.WriteStartObject();
            format.Write(writer, row);
            writer.WriteEndObject();
            writer.Flush();
            stream.WriteByte((byte)'\n');
            writer.Reset();
            rows++;
        }

        stream.Flush();
        return rows;
    }

    /// <summary>Neighbours of one problem together: files hold a problem's traces side by side.</summary>
    private static IEnumerable<PublishedTrace[]> ByProblem(IEnumerable<PublishedTrace> traces)
    {
        List<PublishedTrace> group = [];
        foreach (var trace in traces)
        {
            if (group.Count > 0 && group[0].Trace.Problem.Id != trace.Trace.Problem.Id)
            {
                yield return [.. group];
                group.Clear();
            }

            group.Add(trace);
        }

        if (group.Count > 0) yield return [.. group];
    }
}
