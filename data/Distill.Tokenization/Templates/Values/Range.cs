namespace Distill.Tokenization.Templates.Values;

/// <summary>What <c>range</c> gives; at most as long as the limits allow.</summary>
internal sealed class Range(long start, long stop, long step) : Value
{
    public long Start => start;

    public long Stop => stop;

    public long Step => step;

    public int Count { get; } = (int)Math.Max(0, step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);

    public override string TypeName => "range";

    public override bool IsTrue => Count > 0;

    public IReadOnlyList<Value> Items => field ??= [.. Enumerable.Range(0, Count).Select(i => new Integer(start + i * step))];
}
