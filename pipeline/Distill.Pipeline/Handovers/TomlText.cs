using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Distill.Pipeline.Handovers;

/// <summary>Configuration as TOML 1.0: tables by their paths; values are spelled as in JSON, which TOML shares.</summary>
internal static class TomlText
{
    /// <param name="heading">Comment lines above it, without their marks.</param>
    /// <exception cref="ArgumentException">A value is null, or a list of mixed kinds, for which TOML has no spelling.</exception>
    public static string Write(JsonObject root, IEnumerable<string> heading)
    {
        var text = new StringBuilder(string.Concat(heading.Select(line => $"# {line}\n")));
        Table(text, "", root);
        return text.ToString();
    }

    // A table's own values come before the tables in it.
    private static void Table(StringBuilder text, string path, JsonObject table)
    {
        foreach (var (key, value) in table.Where(pair => !IsTable(pair.Value)))
            text.Append(Key(key)).Append(" = ").Append(Value(value)).Append('\n');
        foreach (var (key, value) in table.Where(pair => IsTable(pair.Value)))
        {
            string name = path.Length == 0 ? Key(key) : $"{path}.{Key(key)}";
            foreach (var item in value is JsonArray list ? list.ToList() : [value])
            {
                var inner = item!.AsObject();
                if (value is JsonArray) text.Append($"\n[[{name}]]\n");
                else if (inner.Count == 0 || inner.Any(pair => !IsTable(pair.Value))) text.Append($"\n[{name}]\n");
                Table(text, name, inner);
            }
        }
    }

    private static bool IsTable(JsonNode? value) => value is JsonObject
        || (value is JsonArray list && list.Count > 0 && list.All(item => item is JsonObject));

    private static string Key(string key) =>
        key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? key : JsonSerializer.Serialize(key);

    private static string Value(JsonNode? value) => value switch
    {
        null => throw new ArgumentException("TOML has no null."),
        JsonArray list => $"[{string.Join(", ", list.Select(Value))}]",
        _ => value.ToJsonString(),
    };
}
