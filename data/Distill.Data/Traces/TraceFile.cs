using Distill.Data.Storage;

namespace Distill.Data.Traces;

/// <summary>Whole trace files: written as one commit, read as a sequence. Thread-safe; files are never appended to.</summary>
public static class TraceFile
{
    /// <summary>Commits traces as one file of an artefact.</summary>
    public static ArtifactFile Write(ArtifactWriter artifact, string name, IEnumerable<Trace> traces, TraceFileOptions? options = null)
    {
        long rows = 0;
        return artifact.Write(name, stream => rows = Fill(stream, traces, false, (writer, trace) => writer.WriteAsync(trace), options), Count(() => rows));
    }

    /// <summary>Commits graded traces as one file of an artefact.</summary>
    public static ArtifactFile Write(ArtifactWriter artifact, string name, IEnumerable<GradedTrace> traces, TraceFileOptions? options = null)
    {
        long rows = 0;
        return artifact.Write(name, stream => rows = Fill(stream, traces, true, (writer, trace) => writer.WriteAsync(trace), options), Count(() => rows));
    }

    /// <summary>Commits traces as a file of its own.</summary>
    /// <exception cref="CommitConflictException">The name holds other content.</exception>
    public static ArtifactFile Write(string path, IEnumerable<Trace> traces, TraceFileOptions? options = null)
    {
        long rows = 0;
        return CommittedFile.Write(path, stream => rows = Fill(stream, traces, false, (writer, trace) => writer.WriteAsync(trace), options), Count(() => rows));
    }

    /// <summary>Commits graded traces as a file of its own.</summary>
    /// <exception cref="CommitConflictException">The name holds other content.</exception>
    public static ArtifactFile Write(string path, IEnumerable<GradedTrace> traces, TraceFileOptions? options = null)
    {
        long rows = 0;
        return CommittedFile.Write(path, stream => rows = Fill(stream, traces, true, (writer, trace) => writer.WriteAsync(trace), options), Count(() => rows));
    }

    /// <summary>The traces of a file, one row group in memory at a time.</summary>
    /// <exception cref="InvalidDataException">Not a trace file, or a damaged one; names file and reason.</exception>
    public static IEnumerable<Trace> Read(string path) => TraceReader.ReadAsync(path).ToBlockingEnumerable();

    /// <summary>The graded traces of a file, one row group in memory at a time.</summary>
    /// <exception cref="InvalidDataException">Not a file of graded traces, or a damaged one; names file and reason.</exception>
    public static IEnumerable<GradedTrace> ReadGraded(string path) => TraceReader.ReadGradedAsync(path).ToBlockingEnumerable();

    private static long Fill<T>(Stream stream, IEnumerable<T> traces, bool graded, Func<TraceWriter, T, Task> write, TraceFileOptions? options) =>
        FillAsync(stream, traces, graded, write, options).GetAwaiter().GetResult();

    private static async Task<long> FillAsync<T>(
        Stream stream, IEnumerable<T> traces, bool graded, Func<TraceWriter, T, Task> write, TraceFileOptions? options)
    {
        var writer = await TraceWriter.CreateAsync(stream, graded, options).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            foreach (var trace in traces) await write(writer, trace).ConfigureAwait(false);
            await writer.CompleteAsync().ConfigureAwait(false);
        }

        return writer.Rows;
    }

    private static Func<Stream, long> Count(Func<long> expected) => stream =>
    {
        long rows = TraceReader.CountAsync(stream).GetAwaiter().GetResult();
        return rows == expected() ? rows : throw new IOException($"A trace file holds {rows} of the {expected()} rows written to it.");
    };
}

/// <summary>How a trace file is laid out. Immutable.</summary>
public sealed record TraceFileOptions
{
    /// <summary>Whether the token-aligned columns are filled; they are most of a file.</summary>
    public bool KeepTokens { get; init; } = true;

    /// <summary>A row group ends when it has this many rows …</summary>
    public int RowsPerGroup { get; init; } = 65_536;

    /// <summary>… or texts and tokens of about this many bytes, which bounds the memory of writer and reader.</summary>
    public long BytesPerGroup { get; init; } = 64 << 20;
}
