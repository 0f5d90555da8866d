using System.IO.Compression;
using Parquet;

namespace Distill.Data.Traces;

/// <summary>
/// Writes traces to a stream as Parquet, one row group at a time; the caller owns the stream. A file is finished only after
/// <see cref="CompleteAsync"/>: disposal alone leaves a readable file with rows missing, which is why <see cref="TraceFile"/>
/// counts rows before it commits. Not thread-safe.
/// </summary>
internal sealed class TraceWriter : IAsyncDisposable
{
    private readonly ParquetWriter writer;
    private readonly IReadOnlyList<TraceColumn> columns;
    private readonly TraceFileOptions options;
    private readonly bool graded;
    private readonly List<TraceRow> pending = [];
    private long pendingBytes;

    private TraceWriter(ParquetWriter writer, IReadOnlyList<TraceColumn> columns, TraceFileOptions options, bool graded) =>
        (this.writer, this.columns, this.options, this.graded) = (writer, columns, options, graded);

    /// <summary>Rows taken so far.</summary>
    public long Rows { get; private set; }

    /// <param name="stream">Writable and seekable, at its beginning.</param>
    /// <param name="graded">Whether the columns of <see cref="GradedTrace"/> are written too.</param>
    /// <param name="options">Layout.</param>
    /// <param name="cancellation">Ends the opening.</param>
    public static async Task<TraceWriter> CreateAsync(
        Stream stream, bool graded, TraceFileOptions? options = null, CancellationToken cancellation = default)
    {
        var columns = graded ? TraceColumns.Graded : TraceColumns.Raw;
        var settings = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = CompressionLevel.Optimal };
        foreach (var leaf in columns.SelectMany(column => column.Leaves).Where(leaf => leaf.ClrType == typeof(ReadOnlyMemory<char>)))
            settings.ColumnEncodingHints[leaf.Path.ToString()] = EncodingHint.Dictionary;
        var schema = graded ? TraceColumns.GradedSchema : TraceColumns.RawSchema;
        var writer = await ParquetWriter.CreateAsync(schema, stream, settings, false, cancellation).ConfigureAwait(false);
        writer.CustomMetadata = new Dictionary<string, string>
        {
            ["huggingface"] = "{\"info\":{\"features\":" + TraceColumns.Features(columns) + "}}",
        };
        return new TraceWriter(writer, columns, options ?? new TraceFileOptions(), graded);
    }

    /// <exception cref="InvalidOperationException">The file was opened for graded traces.</exception>
    public Task WriteAsync(Trace trace, CancellationToken cancellation = default) =>
        graded
            ? throw new InvalidOperationException("This file holds graded traces.")
            : AddAsync(TraceRow.From(trace, options.KeepTokens), cancellation);

    /// <exception cref="InvalidOperationException">The file was opened for ungraded traces.</exception>
    public Task WriteAsync(GradedTrace trace, CancellationToken cancellation = default) =>
        graded
            ? AddAsync(TraceRow.From(trace, options.KeepTokens), cancellation)
            : throw new InvalidOperationException("This file holds ungraded traces.");

    /// <summary>Writes what is still in memory; the footer follows on disposal.</summary>
    public async Task CompleteAsync(CancellationToken cancellation = default)
    {
        if (pending.Count == 0) return;
        using var group = writer.CreateRowGroup();
        foreach (var column in columns) await column.WriteAsync(group, pending, cancellation).ConfigureAwait(false);
        group.CompleteValidate();
        pending.Clear();
        pendingBytes = 0;
    }

    public ValueTask DisposeAsync() => writer.DisposeAsync();

    private Task AddAsync(TraceRow row, CancellationToken cancellation)
    {
        pending.Add(row);
        Rows++;
        pendingBytes += 2L * (row.Problem.Length + row.Reasoning.Length + (row.Answer?.Length ?? 0) + (row.ReferenceSolution?.Length ?? 0)
                              + (row.Preamble?.Length ?? 0) + row.Signature.Length)
                        + 4L * (row.TokenIds.Count + row.TokenLogProbabilities.Count + row.TopIds.Count + row.TopLogProbabilities.Count);
        bool full = pending.Count >= options.RowsPerGroup || pendingBytes >= options.BytesPerGroup;
        return full ? CompleteAsync(cancellation) : Task.CompletedTask;
    }
}
