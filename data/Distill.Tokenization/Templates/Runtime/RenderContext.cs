using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Runtime;

/// <summary>What everything that runs during one rendering shares. Belongs to one thread.</summary>
internal sealed class RenderContext
{
    public RenderContext(TemplateLimits limits, TimeProvider clock)
    {
        Budget = new Budget(limits, clock);
        Clock = clock;
        Comparison = new ValueComparison(Budget);
        Printer = new ValuePrinter(Budget);
    }

    public Budget Budget { get; }

    public TimeProvider Clock { get; }

    public ValueComparison Comparison { get; }

    public ValuePrinter Printer { get; }

    /// <summary>The values a loop walks over; each costs a step.</summary>
    public IEnumerable<Value> Iterate(Value value)
    {
        foreach (var item in Items(value))
        {
            Budget.Step();
            yield return item;
        }
    }

    /// <summary>The same, kept.</summary>
    public List<Value> ToList(Value value)
    {
        var items = new List<Value>();
        foreach (var item in Iterate(value))
        {
            Budget.Charge(1);
            items.Add(item);
        }
        return items;
    }

    public Sequence List(IReadOnlyCollection<Value> items)
    {
        Budget.Charge(items.Count);
        return Sequence.List(items);
    }

    public Mapping Mapping(IEnumerable<KeyValuePair<Value, Value>> entries) => new(entries.Select(Charged), Comparison);

    /// <summary>Joined, and paid for.</summary>
    public Text Concat(IReadOnlyList<Text> parts)
    {
        Budget.Charge(parts.Sum(p => (long)p.Value.Length));
        return parts.Count == 0 ? Text.Empty : Text.Concat(parts);
    }

    private KeyValuePair<Value, Value> Charged(KeyValuePair<Value, Value> entry)
    {
        Budget.Charge(1);
        return entry;
    }

    private static IEnumerable<Value> Items(Value value) => value switch
    {
        Sequence sequence => sequence.Items,
        Mapping mapping => mapping.Keys,
        Text text => CodePoints.Of(text),
        Values.Range range => range.Items,
        Generator generator => generator.Rest(),
        Undefined => [],
        _ => throw TemplateException.Type($"'{value.TypeName}' object is not iterable"),
    };
}
