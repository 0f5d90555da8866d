namespace Distill.Templates.Values;

/// <summary>
/// A string that remembers which of its characters came from messages ("foreign") and which the template wrote, through slicing, joining
/// and replacing. Operations that mix characters beyond recognition make the whole foreign: the safe side, since foreign text never gives
/// control tokens. Immutable.
/// </summary>
internal sealed class Text : Value
{
    private readonly TextRange[] _foreign;

    private Text(string value, TextRange[] foreign, bool isMarkup = false) => (Value, _foreign, IsMarkup) = (value, foreign, isMarkup);

    public static Text Empty { get; } = new("", []);

    public string Value { get; }

    /// <summary>Sorted, disjoint, not empty.</summary>
    public IReadOnlyList<TextRange> Foreign => _foreign;

    /// <summary>Made by <c>escape</c> or <c>safe</c>: Python would escape what it is joined with.</summary>
    public bool IsMarkup { get; }

    public bool IsForeign => _foreign.Length > 0;

    public override string TypeName => "str";

    public override bool IsTrue => Value.Length > 0;

    public static Text Own(string value) => value.Length == 0 ? Empty : new Text(value, []);

    public static Text FromMessages(string value) => value.Length == 0 ? Empty : new Text(value, [new TextRange(0, value.Length)]);

    public static Text Concat(IReadOnlyList<Text> parts)
    {
        if (parts.Count == 1) return parts[0];
        var foreign = new List<TextRange>();
        int at = 0;
        foreach (var part in parts)
        {
            foreach (var range in part._foreign) Append(foreign, new TextRange(at + range.Start, at + range.End));
            at += part.Value.Length;
        }
        return new Text(string.Concat(parts.Select(p => p.Value)), [.. foreign]);
    }

    /// <summary>Units [start, end).</summary>
    public Text Slice(int start, int end)
    {
        if (start >= end) return Empty;
        if (start == 0 && end == Value.Length) return this;
        return new Text(Value[start..end], [.. _foreign
            .Select(r => new TextRange(Math.Max(r.Start, start) - start, Math.Min(r.End, end) - start))
            .Where(r => r.Start < r.End)]);
    }

    /// <summary>Each stretch of one origin changed by itself.</summary>
    public Text Map(Func<string, string> change) =>
        Concat([Empty, .. Runs().Select(r => r.IsForeign ? FromMessages(change(r.Value)) : Own(change(r.Value)))]);

    /// <summary>Another text made of this one: foreign as a whole if any of this is.</summary>
    public Text Become(string value) => IsForeign ? FromMessages(value) : Own(value);

    public Text AsMarkup() => new(Value, _foreign, isMarkup: true);

    /// <summary>Stretches of one origin, in order.</summary>
    public IEnumerable<Text> Runs()
    {
        int at = 0;
        foreach (var range in _foreign)
        {
            if (range.Start > at) yield return Own(Value[at..range.Start]);
            yield return FromMessages(Value[range.Start..range.End]);
            at = range.End;
        }
        if (at < Value.Length) yield return Own(Value[at..]);
    }

    private static void Append(List<TextRange> ranges, TextRange range)
    {
        if (ranges.Count > 0 && ranges[^1].End == range.Start) ranges[^1] = ranges[^1] with { End = range.End };
        else ranges.Add(range);
    }
}
