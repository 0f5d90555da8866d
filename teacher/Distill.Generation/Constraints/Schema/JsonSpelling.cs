using System.Text;
using System.Text.Json;

namespace Distill.Generation.Constraints;

/// <summary>The one spelling in which constrained output writes what a schema gives: no blanks, and no escape that is not needed.</summary>
internal static class JsonSpelling
{
    /// <summary>A value; numbers as the schema spells them.</summary>
    public static string Of(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                return "{" + string.Join(',', value.EnumerateObject().Select(member => $"{Quoted(member.Name)}:{Of(member.Value)}")) + "}";
            case JsonValueKind.Array:
                return "[" + string.Join(',', value.EnumerateArray().Select(Of)) + "]";
            case JsonValueKind.String:
                return Quoted(value.GetString()!);
            default:
                return value.GetRawText();
        }
    }

    /// <summary>The bytes of a name between its quotation marks, one to a character.</summary>
    public static string OfName(string name) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Quoted(name)[1..^1]));

    private static string Quoted(string text)
    {
        var output = new StringBuilder("\"");
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => output.Append("\\\""),
                '\\' => output.Append("\\\\"),
                '\b' => output.Append("\\b"),
                '\f' => output.Append("\\f"),
                '\n' => output.Append("\\n"),
                '\r' => output.Append("\\r"),
                '\t' => output.Append("\\t"),
                < ' ' => output.Append("\\u").Append(((int)c).ToString("x4")),
                _ => output.Append(c),
            };
        }

        return output.Append('"').ToString();
    }
}
