using System.Globalization;
using Distill.Templates.Runtime;
using Distill.Templates.Values;

namespace Distill.Templates.Library;

/// <summary><c>'{} {1} {name}'.format(…)</c>, with plain fields only: attributes, items, conversions and widths are refused.</summary>
internal static class BraceFormat
{
    public static Text Apply(RenderContext context, Text format, CallArguments arguments)
    {
        var parts = new List<Text>();
        string text = format.Value;
        int at = 0, next = 0;
        while (at < text.Length)
        {
            int brace = text.IndexOfAny(['{', '}'], at) is >= 0 and var found ? found : text.Length;
            parts.Add(format.Slice(at, brace));
            at = brace;
            if (brace == text.Length) break;
            if (brace + 1 < text.Length && text[brace + 1] == text[brace])
            {
                parts.Add(format.Slice(brace, brace + 1));
                at += 2;
                continue;
            }
            int end = text[brace] == '{' ? text.IndexOf('}', brace) : -1;
            if (end < 0) throw TemplateException.Type("a brace in the format has no partner");
            parts.Add(context.Printer.Print(Field(text[(brace + 1)..end], arguments, ref next)));
            at = end + 1;
        }
        return context.Concat(parts);
    }

    private static Value Field(string name, CallArguments arguments, ref int next)
    {
        if (name.Length == 0) name = next++.ToString(CultureInfo.InvariantCulture);
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int position))
            return position < arguments.Positional.Count
                ? arguments.Positional[position]
                : throw TemplateException.Type($"the format asks for argument {position}");
        if (!name.All(c => char.IsLetterOrDigit(c) || c == '_'))
            throw TemplateException.Unsupported($"format field '{name}' is not supported");
        return arguments.Keyword.FirstOrDefault(k => k.Key == name).Value
            ?? throw TemplateException.Type($"the format asks for argument '{name}'");
    }
}
