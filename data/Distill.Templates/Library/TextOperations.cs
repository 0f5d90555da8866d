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
    public static Text Pad(RenderContext context, Text text, long width, Text fill, Func<long, long> left)
    {
        if (CodePoints.Count(fill.Value) != 1) throw TemplateException.Type("the fill must be one character");
        long missing = Math.Max(0, width - CodePoints.Count(text.Value));
        context.Budget.Charge(missing * fill.Value.Length + text.Value.Length);
        long before = left(missing);
        return Text.Concat([Repeat(fill, before), text, Repeat(fill, missing - before)]);
    }

    /// <summary>Blanks for tabs, up to columns that are multiples of <paramref name="width"/>.</summary>
    public static Text ExpandTabs(RenderContext context, Text text, long width)
    {
        var parts = new List<Text>();
        long column = 0;
        foreach (var point in CodePoints.Of(text))
        {
            long blanks = point.Value != "\t" ? 0 : width > 0 ? width - column % width : 0;
            context.Budget.Charge(blanks + 1);
            parts.Add(point.Value == "\t" ? point.Become(new string(' ', (int)blanks)) : point);
            column = point.Value is "\n" or "\r" ? 0 : column + (point.Value == "\t" ? blanks : 1);
        }
        return context.Concat(parts);
    }

    /// <summary>
    /// Words between white space, cut from the end; with <paramref name="most"/> cuts, the first one keeps what comes before.
    /// </summary>
    public static List<Value> WordsFromRight(RenderContext context, Text text, long most)
    {
        var words = new List<Value>();
        string value = text.Value;
        for (int end = SkipSpaceBack(value, value.Length); end > 0;)
        {
            context.Budget.Charge(1);
            int at = end;
            while (at > 0 && (most == 0 || !PythonSpace.IsSpace(value[at - 1]))) at--;
            words.Add(text.Slice(at, end));
            end = SkipSpaceBack(value, at);
            most--;
        }
        words.Reverse();
        return words;
    }

    private static int SkipSpace(string text, int at)
    {
        while (at < text.Length && PythonSpace.IsSpace(text[at])) at++;
        return at;
    }

    private static int SkipSpaceBack(string text, int end)
    {
        while (end > 0 && PythonSpace.IsSpace(text[end - 1])) end--;
        return end;
    }

    private static Text Repeat(Text fill, long times) => fill.Become(string.Concat(Enumerable.Repeat(fill.Value, (int)times)));

    private static int Find(string text, string part, int from) =>
        from > text.Length ? -1 : text.IndexOf(part, from, StringComparison.Ordinal);

    private static bool IsLineEnd(char c) =>
        c is '\n' or '\r' or '\v' or '\f' or (>= '\u001C' and <= '\u001E') or '\u0085' or '\u2028' or '\u2029';
}
