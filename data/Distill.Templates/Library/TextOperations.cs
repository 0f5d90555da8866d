using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary>What text methods and filters have in common. Where characters keep their identity, they keep their origin too.</summary>
internal static class TextOperations
{
    /// <param name="characters">Which characters go; null means white space.</param>
    public static Text Strip(Text text, string? characters, bool left = true, bool right = true)
    {
        string value = text.Value;
        int start = 0, end = value.Length;
        while (left && start < end && Goes(value[start])) start++;
        while (right && end > start && Goes(value[end - 1])) end--;
        return text.Slice(start, end);

        bool Goes(char c) => characters is null ? PythonSpace.IsSpace(c) : characters.Contains(c);
    }

    /// <param name="most">How many are replaced at most; negative for all.</param>
    public static Text Replace(RenderContext context, Text text, Text old, Text by, long most)
    {
        if (old.Value.Length == 0) return Interleave(context, text, by, most);
        var parts = new List<Text>();
        int at = 0;
        for (int found = Find(text.Value, old.Value, 0); found >= 0 && most != 0; found = Find(text.Value, old.Value, at), most--)
        {
            context.Budget.Charge(by.Value.Length + 1);
            parts.Add(text.Slice(at, found));
            parts.Add(by);
            at = found + old.Value.Length;
        }
        parts.Add(text.Slice(at, text.Value.Length));
        return context.Concat(parts);
    }

    /// <summary>What Python does when nothing is to be replaced: the text goes before each character and to the end.</summary>
    private static Text Interleave(RenderContext context, Text text, Text by, long most)
    {
        var parts = new List<Text>();
        foreach (var character in CodePoints.Of(text))
        {
            context.Budget.Charge(by.Value.Length + 1);
            if (most-- != 0) parts.Add(by);
            else most = 0;
            parts.Add(character);
        }
        if (most != 0) parts.Add(by);
        return context.Concat(parts);
    }

    public static List<Value> Split(RenderContext context, Text text, string separator, long most)
    {
        if (separator.Length == 0) throw TemplateException.Type("empty separator");
        var parts = new List<Value>();
        int at = 0;
        for (int found = Find(text.Value, separator, 0); found >= 0 && most != 0; found = Find(text.Value, separator, at), most--)
        {
            context.Budget.Charge(1);
            parts.Add(text.Slice(at, found));
            at = found + separator.Length;
        }
        parts.Add(text.Slice(at, text.Value.Length));
        return parts;
    }

    public static List<Value> SplitFromRight(RenderContext context, Text text, string separator, long most)
    {
        if (separator.Length == 0) throw TemplateException.Type("empty separator");
        var parts = new List<Value>();
        int end = text.Value.Length;
        while (most-- != 0 && text.Value.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var found)
        {
            context.Budget.Charge(1);
            parts.Add(text.Slice(found + separator.Length, end));
            end = found;
        }
        parts.Add(text.Slice(0, end));
        parts.Reverse();
        return parts;
    }

    /// <summary>Words between white space; with <paramref name="most"/> cuts, the last one keeps what follows.</summary>
    public static List<Value> Words(RenderContext context, Text text, long most)
    {
        var words = new List<Value>();
        string value = text.Value;
        for (int at = SkipSpace(value, 0); at < value.Length;)
        {
            context.Budget.Charge(1);
            int end = at;
            while (end < value.Length && (most == 0 || !PythonSpace.IsSpace(value[end]))) end++;
            words.Add(text.Slice(at, end));
            at = SkipSpace(value, end);
            most--;
        }
        return words;
    }

    public static List<Value> Lines(Text text, bool keepEnds)
    {
        var lines = new List<Value>();
        for (int at = 0; at < text.Value.Length;)
        {
            int end = at;
            while (end < text.Value.Length && !IsLineEnd(text.Value[end])) end++;
            int next = end == text.Value.Length ? end : end + (text.Value.AsSpan(end).StartsWith("\r\n") ? 2 : 1);
            lines.Add(text.Slice(at, keepEnds ? next : end));
            at = next;
        }
        return lines;
    }

    public static Text Join(RenderContext context, Text separator, IEnumerable<Text> items)
    {
        var parts = new List<Text>();
        foreach (var item in items)
        {
            if (parts.Count > 0) parts.Add(separator);
            context.Budget.Charge(2 + separator.Value.Length);
            parts.Add(item);
        }
        return context.Concat(parts);
    }

    /// <summary>Filled up to a width in code points.</summary>
    /// <param name="left">The share that goes to the left of the text.</param>
    public static Text Pad(RenderContext context, Text text, long width, string fill, Func<long, long> left)
    {
        if (CodePoints.Count(fill) != 1) throw TemplateException.Type("the fill must be one character");
        long missing = Math.Max(0, width - CodePoints.Count(text.Value));
        context.Budget.Charge(missing * fill.Length + text.Value.Length);
        long before = left(missing);
        return Text.Concat([Repeat(fill, before), text, Repeat(fill, missing - before)]);
    }

    private static int SkipSpace(string text, int at)
    {
        while (at < text.Length && PythonSpace.IsSpace(text[at])) at++;
        return at;
    }

    private static Text Repeat(string fill, long times) => Text.Own(string.Concat(Enumerable.Repeat(fill, (int)times)));

    private static int Find(string text, string part, int from) =>
        from > text.Length ? -1 : text.IndexOf(part, from, StringComparison.Ordinal);

    private static bool IsLineEnd(char c) =>
        c is '\n' or '\r' or '\v' or '\f' or (>= '\u001C' and <= '\u001E') or '\u0085' or '\u2028' or '\u2029';
}
