using System.Text.Json;
using Distill.Data.Publishing.Formats;
using Distill.Data.Storage;

namespace Distill.Data.Publishing;

/// <summary>
/// Traces as JSON lines of a foreign format, one problem in memory at a time. Stateless; each call makes one file, whole or not at all.
/// </summary>
internal static class TraceExport
{
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
