using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Distill.Pipeline.Recipes;

/// <summary>
/// One text for one value: keys sorted by code unit, no white space, numbers in their shortest round-trip form. What digests
/// and cache keys are taken over.
/// </summary>
internal static class CanonicalJson
{
    /// <summary>Snake case, enums as words: how recipes, options and reports are spelled.</summary>
    public static JsonSerializerOptions Spelling { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static JsonNode ToNode<T>(T value) => JsonSerializer.SerializeToNode(value, Spelling)!;

    public static string Write(JsonNode? node) => Sorted(node)?.ToJsonString(Spelling) ?? "null";

    /// <summary>SHA-256 of the canonical text, lower-case hexadecimal.</summary>
    public static string Digest(JsonNode? node) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Write(node))));

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair =>
            KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
