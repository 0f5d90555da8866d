namespace Distill.Export.Quantization;

/// <summary>
/// The order in which columns are rounded, and the factor U of the Hessian in that order. Natural: as they lie, and a block's scale is
/// chosen when its first column is reached. By falling diagonal of H ("act-order"): what matters most is rounded while all
/// others can still make up for it; scales are then those of the original weights, so that blocks stay where they are. Immutable.
/// </summary>
internal sealed class ColumnOrder
{
    private readonly int[]? order; // null: natural
    private readonly double[] factor; // U, [columns, columns] in this order
    private readonly double[] diagonal; // of H, [columns] as they lie

    /// <param name="order">Column by place; null: as they lie.</param>
    /// <param name="factor">U of H in that order, [columns, columns], kept.</param>
    /// <param name="diagonal">Of H as the columns lie, kept.</param>
    public ColumnOrder(int[]? order, double[] factor, double[] diagonal) =>
        (this.order, this.factor, this.diagonal) = (order, factor, diagonal);

    public int Columns => diagonal.Length;

    public bool IsNatural => order is null;

    /// <summary>The column at a place.</summary>
    public int this[int place] => order is null ? place : order[place];

    /// <summary>[columns], zeros before the place itself.</summary>
    public ReadOnlySpan<double> FactorRow(int place) => factor.AsSpan(place * Columns, Columns);

    /// <summary>Columns by falling diagonal; equal ones as they lie.</summary>
    public static int[] Falling(ReadOnlySpan<double> diagonal)
    {
        double[] copy = diagonal.ToArray();
        return [.. Enumerable.Range(0, copy.Length).OrderByDescending(column => copy[column])];
    }

    public void Arrange(ReadOnlySpan<double> row, Span<double> target)
    {
        for (int place = 0; place < target.Length; place++) target[place] = row[this[place]];
    }

    /// <summary>
    /// How much an error of each column counts when a scale is chosen: 1 / U[j,j]², what is left of it after the later columns made up
    /// for it;
    /// or H[j,j] where scales are chosen before. Relative to the largest.
    /// </summary>
    /// <param name="target">[columns] as they lie.</param>
    public void Importance(Span<float> target)
    {
        double Of(int column) => order is null ? 1 / Math.Pow(factor[(column * Columns) + column], 2) : diagonal[column];
        double most = Enumerable.Range(0, Columns).Max(Of);
        for (int column = 0; column < target.Length; column++) target[column] = most > 0 ? (float)(Of(column) / most) : 1;
    }
}
