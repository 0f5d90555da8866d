using System.Runtime.CompilerServices;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Python's equality, order and hashing: 1 == 1.0 == True, texts by code point, sequences item by item.</summary>
internal sealed class ValueComparison(Budget budget) : IEqualityComparer<Value>
{
    public bool Equals(Value? a, Value? b)
    {
        budget.Step();
        if (ReferenceEquals(a, b)) return a is not Float { Value: double.NaN };
        if (Numbers.Is(a) && Numbers.Is(b)) return Numbers.Compare(a!, b!) == 0;
        budget.Enter();
        bool equal = (a, b) switch
        {
            (Text x, Text y) => x.Value == y.Value,
            (Sequence x, Sequence y) =>
                x.Kind == y.Kind && x.Items.Count == y.Items.Count && x.Items.Zip(y.Items).All(p => Equals(p.First, p.Second)),
            (Values.Range x, Values.Range y) =>
                x.Count == y.Count && (x.Count == 0 || (x.Start == y.Start && (x.Count == 1 || x.Step == y.Step))),
            (Mapping x, Mapping y) => x.Count == y.Count && x.Entries.All(e => y.TryGet(e.Key, out var other) && Equals(e.Value, other)),
            (Undefined, Undefined) => true,
            _ => false,
        };
        budget.Leave();
        return equal;
    }

    /// <exception cref="TemplateException">The value cannot be a key.</exception>
    public int GetHashCode(Value value)
    {
        budget.Step();
        if (Numbers.Is(value)) return Numbers.Hash(value);
        return value switch
        {
            Text text => text.Value.GetHashCode(StringComparison.Ordinal),
            Sequence { Kind: SequenceKind.Tuple } tuple => HashOf(tuple),
            Sequence or Mapping => throw TemplateException.Type($"unhashable type: '{value.TypeName}'"),
            Undefined => 1,
            _ => RuntimeHelpers.GetHashCode(value),
        };
    }

    /// <summary>Less than, equal or greater than zero.</summary>
    /// <exception cref="TemplateException">The values have no order.</exception>
    public int Compare(Value a, Value b)
    {
        budget.Step();
        if (a is Undefined undefined) throw undefined.Failure();
        if (b is Undefined other) throw other.Failure();
        if (Numbers.Is(a) && Numbers.Is(b)) return Numbers.Compare(a, b);
        return (a, b) switch
        {
            (Text x, Text y) => CodePoints.Compare(x.Value, y.Value),
            (Sequence { IsIndexable: true } x, Sequence y) when x.Kind == y.Kind => Items(x, y),
            _ => throw TemplateException.Type($"'{a.TypeName}' and '{b.TypeName}' have no order"),
        };
    }

    /// <summary>In ascending or descending order of their keys; equal ones stay as they were.</summary>
    /// <exception cref="TemplateException">The keys have no order.</exception>
    public List<T> Sort<T>(IReadOnlyCollection<T> items, Func<T, Value> key, bool descending)
    {
        budget.Charge(items.Count);
        var order = Comparer<Value>.Create(Compare);
        try
        {
            return [.. descending ? items.OrderByDescending(key, order) : items.OrderBy(key, order)];
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateException inner)
        {
            throw inner;
        }
    }

    private int HashOf(Sequence tuple)
    {
        budget.Enter();
        var hash = new HashCode();
        foreach (var item in tuple.Items) hash.Add(GetHashCode(item));
        budget.Leave();
        return hash.ToHashCode();
    }

    private int Items(Sequence a, Sequence b)
    {
        budget.Enter();
        int order = a.Items.Count.CompareTo(b.Items.Count);
        foreach (var (x, y) in a.Items.Zip(b.Items))
        {
            if (Equals(x, y)) continue;
            order = Compare(x, y);
            break;
        }
        budget.Leave();
        return order;
    }
}
