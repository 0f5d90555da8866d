namespace Distill.Tokenization.Templates.Values;

/// <summary>What <c>map</c>, <c>select</c> and their like give: can be walked once, has no length, and is always true.</summary>
internal sealed class Generator(IEnumerable<Value> items) : Value
{
    private readonly IEnumerator<Value> _items = items.GetEnumerator();

    public override string TypeName => "generator";

    public IEnumerable<Value> Rest()
    {
        while (_items.MoveNext()) yield return _items.Current;
    }
}
