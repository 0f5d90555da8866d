using Distill.Architecture;

namespace Distill.Student.Fused;

/// <summary>Working memory of attention that no layer needs to keep: one per replica. The owner disposes it.</summary>
internal sealed unsafe class AttentionScratch : IDisposable
{
    private readonly NativeBuffer keysTransposed;
    private readonly NativeBuffer valuesTransposed;
    private readonly NativeBuffer probabilities;
    private readonly NativeBuffer scoreGradients;
    private readonly NativeBuffer outputGradient;
    private readonly NativeBuffer headGradients;
    private readonly NativeBuffer row, tiles;
    private readonly NativeBuffer prompted; // keys, values and their gradients of a segment with a prompt
    private readonly long longest;
    private readonly int capacity;
    private readonly int size;

    /// <param name="capacity">Most tokens in a batch.</param>
    /// <param name="longest">Most tokens in one sequence.</param>
    public AttentionScratch(DecoderArchitecture architecture, int capacity, int longest)
    {
        this.capacity = capacity;
        size = architecture.HeadSize;
        long stride = (longest + 15) & ~15;
        this.longest = stride;
        prompted = new NativeBuffer(4 * stride * size);
        tiles = new NativeBuffer(2L * AttentionProducts.Rows * size);
        keysTransposed = new NativeBuffer(size * stride);
        valuesTransposed = new NativeBuffer(size * stride);
        long scores = stride / AttentionProducts.Rows * AttentionProducts.TileLength(longest);
        probabilities = new NativeBuffer(scores);
        scoreGradients = new NativeBuffer(scores);
        outputGradient = new NativeBuffer(stride * size);
        // tiles of keys may end past the last
        headGradients =
            new NativeBuffer(((architecture.Heads + 2L * architecture.KeyValueHeads) * capacity + AttentionProducts.Rows) * size);
        row = new NativeBuffer(size);
    }

    /// <summary>[blocks, size, <see cref="AttentionProducts.Width"/>]</summary>
    public float* KeysTransposed => keysTransposed.Pointer;

    /// <summary>[blocks, size, <see cref="AttentionProducts.Width"/>]</summary>
    public float* ValuesTransposed => valuesTransposed.Pointer;

    /// <summary>Tile after tile of query rows, as <see cref="AttentionProducts"/> lays them.</summary>
    public float* Probabilities => probabilities.Pointer;

    /// <summary>Tile after tile of query rows, as <see cref="AttentionProducts"/> lays them.</summary>
    public float* ScoreGradients => scoreGradients.Pointer;

    /// <summary>[length, size]</summary>
    public float* OutputGradient => outputGradient.Pointer;

    /// <summary>[size]</summary>
    public float* Row => row.Pointer;

    /// <summary>[<see cref="AttentionProducts.Rows"/>, size], for what goes into a tile that its segment does not fill.</summary>
    public float* TileInput => tiles.Pointer;

    /// <summary>[<see cref="AttentionProducts.Rows"/>, size], for what comes out of a tile.</summary>
    public float* TileOutput => tiles.Pointer + AttentionProducts.Rows * size;

    /// <summary>[length, size]</summary>
    public float* Keys => prompted.Pointer;

    /// <summary>[length, size]</summary>
    public float* Values => prompted.Pointer + (longest * size);

    /// <summary>[length, size]</summary>
    public float* KeyGradient => prompted.Pointer + (2 * longest * size);

    /// <summary>[length, size]</summary>
    public float* ValueGradient => prompted.Pointer + (3 * longest * size);

    /// <summary>[packed heads, capacity, size]</summary>
    public float* HeadGradient(int head, int token) => headGradients.Pointer + ((long)head * capacity + token) * size;

    public void Dispose()
    {
        keysTransposed.Dispose();
        valuesTransposed.Dispose();
        probabilities.Dispose();
        scoreGradients.Dispose();
        outputGradient.Dispose();
        headGradients.Dispose();
        row.Dispose();
        tiles.Dispose();
        prompted.Dispose();
    }
}

/// <summary>Where <see cref="AttentionProducts.Rows"/> neighbouring query rows of a segment stand among its keys. Immutable.</summary>
/// <param name="row">The first of them.</param>
/// <param name="before">Keys of the prompt before the segment.</param>
/// <param name="keys">All keys, the prompt's included.</param>
/// <param name="window">Keys that a query sees, itself included.</param>
internal readonly struct AttentionTile(int row, int before, int keys, int window)
{
    /// <summary>One past the last key that any of the rows sees.</summary>
    public int EndKey { get; } = Math.Min(keys, before + row + AttentionProducts.Rows);

    /// <summary>Of the blocks of <see cref="AttentionProducts.Width"/> keys that any of the rows sees a key of.</summary>
    public int FirstBlock => FirstKey(0) / AttentionProducts.Width;

    /// <summary>One past the last of these.</summary>
    public int EndBlock => (EndKey - 1) / AttentionProducts.Width + 1;

    /// <summary>A row's own key, the last that it sees.</summary>
    public int Key(int index) => before + row + index;

    /// <summary>The first key that a row sees.</summary>
    public int FirstKey(int index) => Math.Max(0, Key(index) - window + 1);
}
