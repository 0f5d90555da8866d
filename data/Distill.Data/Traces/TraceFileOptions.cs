namespace Distill.Data.Traces;

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
