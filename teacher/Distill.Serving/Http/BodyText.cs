using System.Text.Json;
using Distill.Serving.Protocol;

namespace Distill.Serving.Http;

/// <summary>
/// Whether every text of a body is one: JSON can spell half a character (<c>"\ud83d"</c>), and bytes need not be UTF-8. No tokenizer reads
/// such a text, so it is refused once, before anybody reads it. So is an object that says something twice.
/// </summary>
internal static class BodyText
{
    /// <param name="path">Where the value is, e.g. <c>messages[2].content</c>; empty for the body.</param>
    /// <exception cref="ApiException">Names the first text that is none, or a name that is there twice.</exception>
    public static void Require(JsonElement value, string path = "")
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var names = new HashSet<string>();
                foreach (var property in value.EnumerateObject())
                {
                    string name = Read(() => property.Name, path, "a name");
                    if (!names.Add(name))
                        throw ApiException.Invalid(path.Length == 0 ? name : path, $"The name '{name}' is there twice in one object.");
                    if (HoldsText(property.Value)) Require(property.Value, path.Length == 0 ? name : $"{path}.{name}");
                }

                break;
            case JsonValueKind.Array:
                int index = 0;
                foreach (var item in value.EnumerateArray())
                {
                    if (HoldsText(item)) Require(item, $"{path}[{index}]");
                    index++;
                }

                break;
            case JsonValueKind.String:
                Read(value.GetString, path, "a text");
                break;
        }
    }

    private static bool HoldsText(JsonElement value) =>
        value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.String;

    private static string Read(Func<string?> read, string path, string what)
    {
        try
        {
            return read()!;
        }
        catch (InvalidOperationException) // how JsonElement says that it is no text
        {
            string place = path.Length == 0 ? "The body" : $"'{path}'";
            throw ApiException.Invalid(
                path.Length == 0 ? null : path,
                $"{place} has {what} that is not Unicode: half of a surrogate pair, or bytes that are not UTF-8.");
        }
    }
}
