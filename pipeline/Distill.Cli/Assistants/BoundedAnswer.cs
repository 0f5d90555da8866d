using System.Text.Json.Nodes;

namespace Distill.Cli.Assistants;

/// <summary>Answers that an assistant can read: lists by pages, long texts cut with a word of it.</summary>
internal static class BoundedAnswer
{
    public const int UsualCount = 20, MostCount = 100, LongestAnswer = 60_000;

    private const int LongestText = 4_000, LongestWhole = 24_000, MostItems = 400;

    public static IReadOnlyList<ToolArgument> Paging { get; } =
    [
        new("skip", ArgumentKind.Number, "How many to pass over before the first.", Most: 100_000),
        new("count", ArgumentKind.Number, $"How many at most; usually {UsualCount}.", Most: MostCount),
    ];

    /// <summary>A part of a list, with what there is besides.</summary>
    /// <param name="list">Name of the list in the answer.</param>
    public static JsonObject Page(JsonNode answer, string list, ToolCall call)
    {
        int skip = call.Number("skip", 0), count = Math.Max(1, call.Number("count", UsualCount));
        var all = answer[list]?.AsArray() ?? [];
        var page = new JsonArray([.. all.Skip(skip).Take(count).Select(item => item?.DeepClone())]);
        var shown = answer.DeepClone().AsObject();
        shown[list] = page;
        shown["total"] = all.Count;
        if (skip + page.Count < all.Count) shown["next_skip"] = skip + page.Count;
        return shown;
    }

    /// <summary>The same answer with its longest texts and lists cut.</summary>
    /// <param name="isWhole">One thing was asked for by itself, and may be longer.</param>
    public static JsonNode? Cut(JsonNode? node, bool isWhole = false) => node switch
    {
        JsonObject map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, Cut(pair.Value, isWhole)))),
        JsonArray list when list.Count > MostItems => new JsonArray(
            [.. list.Take(MostItems).Select(item => Cut(item, isWhole)), JsonValue.Create($"… {list.Count - MostItems:N0} more")]),
        JsonArray list => new JsonArray([.. list.Select(item => Cut(item, isWhole))]),
        JsonValue value when value.TryGetValue(out string? text) => JsonValue.Create(Cut(text, isWhole ? LongestWhole : LongestText)),
        _ => node?.DeepClone(),
    };

    /// <summary>The part of a value that a path such as <c>evaluations.0</c> names.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static JsonNode? Part(JsonNode? value, string? path)
    {
        foreach (string name in path?.Split('.', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            value = value switch
            {
                JsonObject map when map.ContainsKey(name) => map[name],
                JsonArray list when int.TryParse(name, out int place) && place >= 0 && place < list.Count => list[place],
                _ => throw new UsageException($"There is no '{name}' in it.", $"There is {Names(value)}."),
            };
        }

        return value;
    }

    /// <summary>What parts a value has, where it is too long as a whole.</summary>
    public static string Names(JsonNode? value) => value switch
    {
        JsonObject map => string.Join(", ", map.Select(pair => pair.Key)),
        JsonArray list => $"0 to {list.Count - 1}",
        _ => "nothing below it",
    };

    private static string Cut(string text, int longest)
    {
        if (text.Length <= longest) return text;
        int end = char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        return $"{text[..end]}… ({text.Length - end:N0} more characters)";
    }
}
