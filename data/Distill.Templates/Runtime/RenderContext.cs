using System.Runtime.CompilerServices;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

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

/// <summary>Counts what a rendering uses and ends it when the limits are reached.</summary>
internal sealed class Budget(TemplateLimits limits, TimeProvider clock)
{
    private const int StepsBetweenClockReads = 4096;

    private readonly long _start = clock.GetTimestamp();
    private long _steps;
    private long _size;
    private int _depth;

    public TemplateLimits Limits => limits;

    public void Step()
    {
        if (++_steps > limits.Steps) throw TemplateException.Limit($"the template takes more than {limits.Steps} steps");
        if (_steps % StepsBetweenClockReads == 0 && clock.GetElapsedTime(_start) > limits.Time)
            throw TemplateException.Limit($"the template takes longer than {limits.Time.TotalSeconds} s");
    }

    /// <summary>Call before building something of this many characters or elements.</summary>
    public void Charge(long size)
    {
        if (size > limits.Size - _size)
            throw TemplateException.Limit($"the template builds more than {limits.Size} characters and elements");
        _size += size;
    }

    public void Enter()
    {
        if (++_depth > limits.Depth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw TemplateException.Limit($"the template nests deeper than {limits.Depth}");
    }

    public void Leave() => _depth--;
}

/// <summary>The variables of a block, in front of those around it.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, Value> _variables = [];

    public void Set(string name, Value value) => _variables[name] = value;

    public Value Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._variables.TryGetValue(name, out var value)) return value;
        return new Undefined($"'{name}'");
    }

    private Scope? Outer => outer;
}

/// <summary>Text while it is written.</summary>
internal sealed class Output(RenderContext context)
{
    private readonly List<Text> _parts = [];

    public void Write(Text text)
    {
        if (text.Value.Length == 0) return;
        context.Budget.Charge(text.Value.Length);
        _parts.Add(text);
    }

    public Text ToText() => Text.Concat([Text.Empty, .. _parts]);
}
