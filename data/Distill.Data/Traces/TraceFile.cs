using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Traces;

/// <summary>Whole trace files: written as one commit, read as a sequence. Thread-safe; files are never appended to.</summary>
public static class TraceFile
{
    /// <summary>Commits traces as one file of an artefact: a part of it, which continued work takes again.</summary>
    public static ArtifactFile Write(ArtifactWriter artifact, string name, IEnumerable<Trace> traces, TraceFileOptions? options = null)
    {
        var content = Content.Of(traces, options);
        return artifact.WritePart(name, content.Write, content.Count);
    }

    /// <summary>Commits graded traces as one file of an artefact.</summary>
    public static ArtifactFile Write(
        ArtifactWriter artifact, string name, IEnumerable<GradedTrace> traces, TraceFileOptions? options = null)
    {
        var content = Content.Of(traces, options);
        return artifact.Write(name, content.Write, content.Count);
    }

    /// <summary>Commits traces as a file of its own.</summary>
    /// <exception cref="CommitConflictException">The name holds other content.</exception>
    public static ArtifactFile Write(string path, IEnumerable<Trace> traces, TraceFileOptions? options = null)
    {
        var content = Content.Of(traces, options);
        return CommittedFile.Write(path, content.Write, content.Count);
    }

    /// <summary>Commits graded traces as a file of its own.</summary>
    /// <exception cref="CommitConflictException">The name holds other content.</exception>
    public static ArtifactFile Write(string path, IEnumerable<GradedTrace> traces, TraceFileOptions? options = null)
    {
        var content = Content.Of(traces, options);
        return CommittedFile.Write(path, content.Write, content.Count);
    }

    /// <summary>The traces of a file, one row group in memory at a time.</summary>
    /// <exception cref="InvalidDataException">Not a trace file, or a damaged one; names file and reason.</exception>
    public static IEnumerable<Trace> Read(string path) => TraceReader.ReadAsync(path).ToBlockingEnumerable();

    /// <summary>The same without their tokens, which are not read: for whoever judges texts. Much faster where there are any.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    internal static IEnumerable<Trace> ReadTexts(string path) => TraceReader.ReadAsync(path, TraceColumns.IsText).ToBlockingEnumerable();

    /// <summary>Sums of a file, from the columns that hold them and no others.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    internal static TraceSums SumsOf(string path)
    {
        long prompt = 0, completion = 0;
        var rows = TraceReader.ReadRowsAsync(path, column => column.Name is "prompt_tokens" or "completion_tokens");
        foreach (var row in rows.ToBlockingEnumerable())
        {
            prompt += row.PromptTokens;
            completion += row.CompletionTokens;
        }

        return new TraceSums(prompt, completion);
    }

    /// <summary>How long each trace is and what it was found to be, from the columns that hold it and no others.</summary>
    /// <exception cref="InvalidDataException">Not a file of graded traces, or a damaged one; names file and reason.</exception>
    internal static IEnumerable<(int CompletionTokens, Verdict Verdict)> ReadLengths(string path) => TraceReader
        .ReadGradedRowsAsync(path, column => column.Name is "completion_tokens" or "verdict").ToBlockingEnumerable()
        .Select(row => (row.CompletionTokens, VerdictName.TryParse(row.Verdict) ?? throw new InvalidDataException(
            $"'{path}': the verdict {Printable.Quote(row.Verdict)} is none of correct, incorrect, undecidable.")));

    /// <summary>The graded traces of a file, one row group in memory at a time.</summary>
    /// <exception cref="InvalidDataException">Not a file of graded traces, or a damaged one; names file and reason.</exception>
    public static IEnumerable<GradedTrace> ReadGraded(string path) => TraceReader.ReadGradedAsync(path).ToBlockingEnumerable();

    /// <inheritdoc cref="ReadTexts"/>
    internal static IEnumerable<GradedTrace> ReadGradedTexts(string path) =>
        TraceReader.ReadGradedAsync(path, TraceColumns.IsText).ToBlockingEnumerable();

    /// <summary>What goes into one file, and how many rows have to be found there before it is committed.</summary>
    private sealed class Content(bool graded, TraceFileOptions? options, Func<TraceWriter, Task> fill)
    {
        private long rows;

        public static Content Of(IEnumerable<Trace> traces, TraceFileOptions? options) => new(false, options, async writer =>
        {
            foreach (var trace in traces) await writer.WriteAsync(trace).ConfigureAwait(false);
        });

        public static Content Of(IEnumerable<GradedTrace> traces, TraceFileOptions? options) => new(true, options, async writer =>
        {
            foreach (var trace in traces) await writer.WriteAsync(trace).ConfigureAwait(false);
        });

        public void Write(Stream stream) => WriteAsync(stream).GetAwaiter().GetResult();

        public long Count(Stream stream)
        {
            long found = TraceReader.CountAsync(stream).GetAwaiter().GetResult();
            return found == rows ? found : throw new IOException($"A trace file holds {found} of the {rows} rows written to it.");
        }

        private async Task WriteAsync(Stream stream)
        {
            var writer = await TraceWriter.CreateAsync(stream, graded, options).ConfigureAwait(false);
            await using (writer.ConfigureAwait(false))
            {
                await fill(writer).ConfigureAwait(false);
                await writer.CompleteAsync().ConfigureAwait(false);
            }

            rows = writer.Rows;
        }
    }
}

/// <summary>Tokens of all traces of a file.</summary>
internal readonly record struct TraceSums(long PromptTokens, long CompletionTokens);

/// <summary>How a trace file is laid out. Immutable.</summary>
public sealed record TraceFileOptions
{
    /// <summary>Whether the token-aligned columns are filled; they are most of a file.</summary>
    public bool KeepTokens { get; init; } = true;

    /// <summary>A row group ends when it has this many rows …</summary>
    public int RowsPerGroup { get; init; } = 16_384;

    /// <summary>… or texts and tokens of about this many bytes, which bounds the memory of writer and reader.</summary>
    public long BytesPerGroup { get; init; } = 32 << 20;
}
