using System.Numerics.Tensors;

namespace Distill.Export.Quantization;

/// <summary>
/// GPTQ (Frantar et al. 2022, arXiv 2210.17323): columns are rounded one after the other, and what each one loses is made up for by those
/// after it, so that the error of the products is least rather than that of the weights. With U the upper Cholesky factor of the inverse
/// of H = 2·XᵀX (damped), the error e = (w − q) / U[j,j] of column j is taken off the later columns as e·U[j,·]. Rows are independent of
/// one another: they are shared among threads, and the result does not depend on how many. Immutable; safe from any thread.
/// </summary>
internal sealed class GptqRounding
{
    private const int RowsAtOnce = 16;

    private readonly BlockLayout layout;
    private readonly ScaleRule rule;
    private readonly ScaleSearch search;
    private readonly ColumnOrder order;
    private readonly float[] importance; // [columns, padded to whole blocks]
    private readonly int columns;

    public GptqRounding(ColumnOrder order, BlockLayout layout, ScaleRule rule)
    {
        (this.order, this.layout, this.rule, columns, search) = (order, layout, rule, order.Columns, new ScaleSearch(layout));
        importance = new float[layout.BlocksOf(columns) * layout.BlockSize];
        order.Importance(importance.AsSpan(0, columns));
    }

    /// <param name="weights">[rows, columns]; left as they are.</param>
    /// <param name="target">Of the same shape and of this layout.</param>
    /// <param name="threads">That share the rows.</param>
    public void Round(double[] weights, QuantizedMatrix target, int threads = 1)
    {
        int groups = (target.Rows + RowsAtOnce - 1) / RowsAtOnce;
        Parallel.For(0, groups, new ParallelOptions { MaxDegreeOfParallelism = threads }, group =>
        {
            int first = group * RowsAtOnce;
            RoundRows(weights, first, Math.Min(first + RowsAtOnce, target.Rows), target);
        });
    }

    private void RoundRows(double[] weights, int first, int end, QuantizedMatrix target)
    {
        double[] errors = new double[(end - first) * layout.BlockSize], rest = new double[(end - first) * columns];
        for (int row = first; row < end; row++)
        {
            order.Arrange(weights.AsSpan(row * columns, columns), rest.AsSpan((row - first) * columns, columns));
            if (order.IsNatural) continue; // scales are chosen on the way, from what the weights have become
            for (int block = 0; block < target.Blocks; block++)
                target.ScalesOf(row)[block] = ScaleOf(weights.AsSpan(row * columns, columns), block * layout.BlockSize);
        }

        for (int start = 0; start < columns; start += layout.BlockSize)
        {
            int stop = Math.Min(start + layout.BlockSize, columns);
            for (int row = first; row < end; row++)
            {
                var values = rest.AsSpan((row - first) * columns, columns);
                if (order.IsNatural) target.ScalesOf(row)[start / layout.BlockSize] = ScaleOf(values, start);
                RoundColumns(values, start, stop, target, row, errors.AsSpan((row - first) * layout.BlockSize, layout.BlockSize));
            }

            Compensate(rest, end - first, start, stop, errors);
        }

        for (int row = first; row < end; row++) Pad(target.CodesOf(row));
    }

    private float ScaleOf(ReadOnlySpan<double> row, int start)
    {
        Span<float> block = stackalloc float[layout.BlockSize];
        block.Clear();
        for (int j = start; j < Math.Min(start + layout.BlockSize, columns); j++) block[j - start] = (float)row[j];
        return search.Of(block, importance.AsSpan(start, layout.BlockSize), rule);
    }

    private void RoundColumns(Span<double> row, int start, int stop, QuantizedMatrix target, int index, Span<double> errors)
    {
        Span<byte> codes = target.CodesOf(index);
        ReadOnlySpan<float> scales = target.ScalesOf(index);
        for (int j = start; j < stop; j++)
        {
            int column = order[j], block = column / layout.BlockSize;
            double scale = scales[block];
            double code = scale == 0 ? 0 : Math.Clamp(Math.Round(row[j] / scale), -layout.Middle, layout.Middle - 1);
            layout.Put(codes.Slice(block * layout.BlockBytes, layout.BlockBytes), column % layout.BlockSize, (int)code + layout.Middle);
            var factors = order.FactorRow(j);
            double error = (row[j] - (code * scale)) / factors[j];
            errors[j - start] = error;
            for (int k = j + 1; k < stop; k++) row[k] -= error * factors[k];
        }
    }

    // The columns behind these, all rows at once, so that a row of U is read once for them.
    private void Compensate(double[] rest, int rows, int start, int stop, double[] errors)
    {
        for (int j = start; j < stop && stop < columns; j++)
        {
            var factors = order.FactorRow(j)[stop..];
            for (int row = 0; row < rows; row++)
            {
                var later = rest.AsSpan((row * columns) + stop, columns - stop);
                TensorPrimitives.MultiplyAdd(factors, -errors[(row * layout.BlockSize) + j - start], later, later);
            }
        }
    }

    // What fills the last block up takes the code of zero.
    private void Pad(Span<byte> codes)
    {
        var last = codes[^layout.BlockBytes..];
        for (int column = columns; column < layout.BlocksOf(columns) * layout.BlockSize; column++)
            layout.Put(last, column % layout.BlockSize, layout.Middle);
    }
}
