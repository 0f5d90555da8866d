using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Distill.Generation.Onnx;
using Distill.Libtorch;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Recipes;
using TorchSharp;

namespace Distill.Pipeline.Reporting;

/// <summary>What a run was asked to do.</summary>
/// <param name="Changed">Values that are not the defaults, in the order of the recipe.</param>
/// <param name="Text">The resolved recipe, every value, as YAML.</param>
internal sealed record RecipeReport(IReadOnlyList<RecipeValue> Changed, string Text)
{
    internal static RecipeReport Of(DistillationRecipe recipe)
    {
        var resolved = RecipeWriter.ToJson(recipe, Path.GetFullPath);
        return new RecipeReport([.. Differences(resolved, Defaults(resolved))], RecipeWriter.ToYaml(recipe, Environment.CurrentDirectory));
    }

    /// <summary>Leaf by leaf; a list is one value.</summary>
    internal static IEnumerable<RecipeValue> Differences(JsonObject values, JsonObject? defaults, string path = "")
    {
        foreach (var (key, value) in values)
        {
            string name = path.Length == 0 ? key : $"{path}.{key}";
            JsonNode? usual = defaults?[key];
            if (value is JsonObject section)
            {
                foreach (var difference in Differences(section, usual as JsonObject, name)) yield return difference;
            }
            else if (!JsonNode.DeepEquals(value, usual) && !(usual is null && IsEmpty(value)))
            {
                yield return new RecipeValue(name, Shown(value), usual is null ? null : Shown(usual));
            }
        }
    }

    private static bool IsEmpty(JsonNode? value) => value is JsonValue given && given.TryGetValue(out string? text) && text.Length == 0;

    // The same recipe with nothing but what has no default: its values are the defaults. What it must say is no choice, so it is in the
    // list of differences only where it has another value there.
    private static JsonObject? Defaults(JsonObject resolved)
    {
        var bare = new JsonObject { ["name"] = "defaults" };
        foreach (var (section, keys) in ((string, string[])[])[
            ("teacher", ["model", "endpoint", "api_key_env"]), ("problems", ["families"]), ("student", ["base"])])
        {
            if (resolved[section] is not JsonObject given) return null;
            bare[section] = new JsonObject(given.Where(pair => keys.Contains(pair.Key) && pair.Value is not null)
                .Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
        }

        try
        {
            var recipe = RecipeFile.Parse(bare.ToJsonString(), "defaults", Environment.CurrentDirectory);
            var defaults = RecipeWriter.ToJson(recipe, Path.GetFullPath);
            foreach (var (section, given) in bare)
            {
                if (given is JsonObject keys) RemoveGiven(defaults[section]!.AsObject(), keys);
            }

            defaults.Remove("name");
            return defaults;
        }
        catch (InvalidRecipeException)
        {
            return null; // e.g. the key of an endpoint is no longer in the environment: everything is listed
        }
    }

    private static void RemoveGiven(JsonObject section, JsonObject given)
    {
        foreach (string key in given.Select(pair => pair.Key).ToList()) section.Remove(key);
    }

    private static string Shown(JsonNode? node) => node switch
    {
        null => "none",
        JsonValue value when value.TryGetValue(out string? text) => text,
        _ => node.ToJsonString(CanonicalJson.Spelling),
    };
}

/// <param name="Path">E.g. <c>sft.learning_rate</c>.</param>
/// <param name="Default">Null where there is none.</param>
internal sealed record RecipeValue(string Path, string Value, string? Default);

/// <summary>The machine and the versions that a run's numbers were made with.</summary>
/// <param name="Cores">Logical ones.</param>
/// <param name="MemoryBytes">That the process may take.</param>
/// <param name="Versions">By name: Distill (with its commit where the build knew it), .NET, ONNX Runtime, TorchSharp, libtorch.</param>
internal sealed record MachineReport(
    string Processor, int Cores, long MemoryBytes, string System, IReadOnlyDictionary<string, string> Versions)
{
    internal static MachineReport OfThisMachine() => new(
        MachineDiagnosis.ProcessorName(), Environment.ProcessorCount, ResourceCheck.MemoryLimit,
        $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
        new Dictionary<string, string>
        {
            ["Distill"] = VersionOf(typeof(MachineReport)),
            [".NET"] = Environment.Version.ToString(),
            ["ONNX Runtime"] = RuntimeTelemetry.Runtime.GetVersionString(),
            ["TorchSharp"] = VersionOf(typeof(torch)).Split('+')[0],
            ["libtorch"] = LibtorchLoading.Version,
        });

    private static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? type.Assembly.GetName().Version?.ToString() ?? "unknown";
}
