namespace Distill.Student.Fused;

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
