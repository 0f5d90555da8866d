using System.Globalization;
using Distill.Templates.Library;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>
/// Attributes, items and slices. An attribute is a method or member from a fixed list, or an item of that name; there is no way from a
/// value to
/// its type, or to anything of the host.
/// </summary>
internal sealed class Subscripts(RenderContext context)
{
    public Value Attribute(Value value, string name)
    {
        if (value is Undefined undefined) throw undefined.Failure();
        return Members.Find(context, value, name) ?? ItemOrNull(value, Text.Own(name)) ?? Undefined.Member(value, name);
    }

    public Value Item(Value value, Value index)
    {
        if (value is Undefined undefined) throw undefined.Failure();
        if (ItemOrNull(value, index) is { } item) return item;
        string name = index is Text text ? text.Value : "";
        return (name.Length > 0 ? Members.Find(context, value, name) : null) ?? Undefined.Member(value, name);
    }

    public Value Slice(Value value, Value? start, Value? stop, Value? step)
    {
        if (value is Undefined undefined) throw undefined.Failure();
        long stride = step is null or None ? 1 : Numbers.Clipped(step, "a slice's step");
        if (stride == 0) throw TemplateException.Type("a slice's step cannot be zero");
        switch (value)
        {
            case Text text:
                int[] starts = CodePoints.Starts(text.Value);
                context.Budget.Charge(starts.Length);
                if (stride == 1) return Stretch(text, starts, Bounds(start, stop, stride, starts.Length - 1));
                return context.Concat([Text.Empty, .. Indices(start, stop, stride,
                    starts.Length - 1).Select(i => text.Slice(starts[i], starts[i + 1]))]);
            case Sequence { IsIndexable: true } sequence:
                return Picked(sequence.Kind, sequence.Items, Indices(start, stop, stride, sequence.Items.Count));
            case Values.Range range:
                return Picked(SequenceKind.List, range.Items, Indices(start, stop, stride, range.Count));
            default:
                throw TemplateException.Type($"'{value.TypeName}' object cannot be sliced");
        }
    }

    private static Value? ItemOrNull(Value value, Value index) => value switch
    {
        Mapping mapping when index is not (Sequence { Kind: not SequenceKind.Tuple } or Mapping) =>
            mapping.TryGet(index, out var item) ? item : null,
        Sequence { IsIndexable: true } sequence when Position(index, sequence.Items.Count) is { } at => sequence.Items[at],
        Values.Range range when Position(index, range.Count) is { } at => new Integer(range.Start + at * range.Step),
        Text text when Numbers.Whole(index) is not null => Character(text, index),
        _ => null,
    };

    private static Text? Character(Text text, Value index)
    {
        if (!text.Value.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return Position(index, text.Value.Length) is { } unit ? text.Slice(unit, unit + 1) : null;
        int[] starts = CodePoints.Starts(text.Value);
        return Position(index, starts.Length - 1) is { } at ? text.Slice(starts[at], starts[at + 1]) : null;
    }

    private static int? Position(Value index, int count)
    {
        if (Numbers.Whole(index) is not { } whole) return null;
        if (whole.Sign < 0) whole += count;
        return whole.Sign >= 0 && whole < count ? (int)whole : null;
    }

    private static Text Stretch(Text text, int[] starts, (long First, long End) bounds) =>
        bounds.End <= bounds.First ? Text.Empty : text.Slice(starts[bounds.First], starts[bounds.End]);

    private Sequence Picked(SequenceKind kind, IReadOnlyList<Value> items, IEnumerable<int> indices)
    {
        var picked = indices.Select(i => items[i]).ToList();
        context.Budget.Charge(picked.Count);
        return new Sequence(kind, picked);
    }

    private static IEnumerable<int> Indices(Value? start, Value? stop, long stride, int count)
    {
        var (first, end) = Bounds(start, stop, stride, count);
        for (long at = first; stride > 0 ? at < end : at > end; at += stride) yield return (int)at;
    }

    /// <summary>Python's rule: negative positions count from the end, and everything is clipped.</summary>
    private static (long First, long End) Bounds(Value? start, Value? stop, long stride, int count)
    {
        long low = stride > 0 ? 0 : -1, high = stride > 0 ? count : count - 1;
        return (Bound(start, stride > 0 ? low : high), Bound(stop, stride > 0 ? high : low));

        long Bound(Value? value, long otherwise)
        {
            if (value is null or None) return otherwise;
            long at = Numbers.Clipped(value, "a slice's bound");
            return Math.Clamp(at < 0 ? at + count : at, low, high);
        }
    }
}

/// <summary><c>attribute='a.b.0'</c> of filters: items within items.</summary>
internal static class AttributePath
{
    /// <param name="path">A text with dots, an integer, or nothing, which stands for the value itself.</param>
    /// <param name="otherwise">Takes the place of what is missing; null leaves it undefined.</param>
    public static Func<Value, Value> Reader(RenderContext context, Value? path, Value? otherwise = null)
    {
        var subscripts = new Subscripts(context);
        Value[] steps = path switch
        {
            null or None => [],
            Text text => [.. text.Value.Split('.').Select(Step)],
            Integer => [path],
            _ => throw TemplateException.Type($"an attribute must be a text or an integer, not '{path.TypeName}'"),
        };
        return value =>
        {
            foreach (var step in steps)
            {
                value = subscripts.Item(value, step);
                if (value is Undefined && otherwise is not (null or None)) value = otherwise;
            }
            return value;
        };
    }

    private static Value Step(string part) =>
        part.Length > 0 && part.All(char.IsAsciiDigit) && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
        ? new Integer(index)
        : Text.Own(part);
}
