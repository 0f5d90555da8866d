using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Graph;

/// <summary>
/// What decides a stage's result, as canonical JSON, and its digest: stage, version of its code, options, digests of its inputs. Kept in
/// the artefact, so that a later plan can say what changed.
/// </summary>
internal sealed class StageKey
{
    public const string DigestFact = "key", TextFact = "made_from", SummaryFact = "summary";

    private StageKey(JsonObject node)
    {
        Text = CanonicalJson.Write(node);
        Digest = CanonicalJson.Digest(node);
    }

    public string Text { get; }

    public string Digest { get; }

    public static StageKey Of(StageDeclaration stage, IReadOnlyDictionary<string, StageInput> inputs) => new(new JsonObject
    {
        ["stage"] = stage.Name,
        ["version"] = stage.Version,
        ["options"] = stage.Options.DeepClone(),
        ["inputs"] = new JsonObject(stage.Inputs.Select(name => KeyValuePair.Create(name, (JsonNode?)inputs[name].Digest))),
    });

    /// <summary>Why this key is not the one an artefact was made from, in words.</summary>
    public string Difference(string? madeFrom) => Difference(madeFrom, Text);

    /// <summary>In what the texts of two keys differ, in words.</summary>
    public static string Difference(string? madeFrom, string? other)
    {
        if (madeFrom is null || JsonNode.Parse(madeFrom) is not JsonObject old) return "made in another way";
        if (other is null || JsonNode.Parse(other) is not JsonObject node) return "made in another way";
        var reasons = new List<string>();
        if (!JsonNode.DeepEquals(old["version"], node["version"])) reasons.Add("the stage's code changed");
        Compare(old["options"], node["options"], "", (path, before, after) => reasons.Add($"{path}: {before} → {after}"));
        Compare(old["inputs"], node["inputs"], "", (path, _, _) => reasons.Add($"input {path} changed"));
        return reasons.Count == 0
            ? "made in another way"
            : string.Join(", ", reasons.Take(4)) + (reasons.Count > 4 ? $" and {reasons.Count - 4} more" : "");
    }

    private static void Compare(JsonNode? old, JsonNode? current, string path, Action<string, string, string> report)
    {
        if (old is JsonObject before && current is JsonObject after)
        {
            foreach (string key in before.Select(pair => pair.Key).Union(after.Select(pair => pair.Key)))
                Compare(before[key], after[key], path.Length == 0 ? key : $"{path}.{key}", report);
        }
        else if (!JsonNode.DeepEquals(old, current))
        {
            report(path, Short(old), Short(current));
        }
    }

    private static string Short(JsonNode? node)
    {
        if (node is null) return "default";
        string text = CanonicalJson.Write(node);
        return text.Length <= 40 ? text : text[..37] + "...";
    }
}
