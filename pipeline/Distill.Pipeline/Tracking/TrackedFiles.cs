using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Telemetry;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Tracking;

/// <summary>What the files of a run say to trackers, and what is noted there of them.</summary>
internal static class TrackedFiles
{
    private const int LongestValue = 500;

    public static TrackedRun RunOf(Recipe recipe, RunFolder folder, DateTimeOffset now)
    {
        // A path says where somebody keeps things; its last part says what it is.
        var node = RecipeWriter.ToJson(recipe, path => recipe.Pulled.OriginOfFolder(path) ?? Path.GetFileName(path.TrimEnd('/', '\\')));
        var parameters = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Flatten(node, "", parameters);
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["distill.recipe"] = recipe.Name, ["distill.run"] = folder.Name,
            ["distill.version"] = typeof(TrackedFiles).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
                .InformationalVersion.Split('+')[0],
        };
        return new(folder.Name, folder.Path, StartOf(folder) ?? now, parameters,
            CanonicalJson.Digest(CanonicalJson.ToNode(parameters)), tags);
    }

    /// <summary>How the run ended; null while it is at work.</summary>
    public static TrackedEnd? EndOf(RunFolder folder)
    {
        if (RunState.TryRead(folder.Path) is not { Progress: not RunProgress.Running } state) return null;
        string outcome = state switch
        {
            { Verdict: RunVerdict.Refused } => Instruments.Outcome.Refused,
            { Progress: RunProgress.Finished } => Instruments.Outcome.Finished,
            { Progress: RunProgress.Failed } => Instruments.Outcome.Failed,
            _ => Instruments.Outcome.Stopped,
        };
        return new(state.Changed, outcome, Summary(folder), Artefacts(folder));
    }

    public static TrackedPlace? PlaceOf(RunFolder folder, string tracker) => Places(folder).GetValueOrDefault(tracker);

    public static void Keep(RunFolder folder, string tracker, TrackedPlace place)
    {
        var places = Places(folder);
        places[tracker] = place;
        ReplacedFile.Write(folder.Inside(RunTracking.FileName), JsonSerializer.SerializeToUtf8Bytes(places, CanonicalJson.Spelling));
    }

    private static Dictionary<string, TrackedPlace> Places(RunFolder folder)
    {
        if (OptionalFile.TryRead(folder.Inside(RunTracking.FileName)) is not { } text) return [];
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, TrackedPlace>>(text, CanonicalJson.Spelling) ?? [];
        }
        catch (JsonException)
        {
            return []; // somebody changed it: the run is made known once more
        }
    }

    private static DateTimeOffset? StartOf(RunFolder folder) =>
        new MetricTail(folder.MetricsPath).Read() is [var first, ..] ? first.Time : null;

    private static void Flatten(JsonNode? node, string path, SortedDictionary<string, string> values)
    {
        if (node is JsonObject map && map.Count > 0)
        {
            foreach (var (key, value) in map) Flatten(value, path.Length == 0 ? key : $"{path}.{key}", values);
        }
        else
        {
            string text = SecretValues.OfProcess.Without(node?.ToJsonString(CanonicalJson.Spelling).Trim('"') ?? "null");
            values[path] = text.Length > LongestValue ? text[..LongestValue] + "…" : text;
        }
    }

    private static SortedDictionary<string, double> Summary(RunFolder folder)
    {
        var found = new SortedDictionary<string, double>(StringComparer.Ordinal);
        if (OptionalFile.TryRead(folder.ReportJsonPath) is not { } text) return found;
        var report = ReportJson.Read(Encoding.UTF8.GetString(text));
        foreach (var model in report.Evaluations)
        {
            found[$"evaluation/{model.Model}/greedy"] = model.Greedy;
            if (model.PassAt1 is { } pass) found[$"evaluation/{model.Model}/pass_at_1"] = pass;
            found[$"evaluation/{model.Model}/mean_tokens"] = model.MeanTokens;
        }

        return found;
    }

    private static SortedDictionary<string, string> Artefacts(RunFolder folder)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (OptionalFile.TryRead(folder.LockFilePath) is not { } text) return found;
        foreach (var (stage, made) in JsonNode.Parse(text)!.AsObject())
        {
            if (made?["output"]?.GetValue<string>() is { } digest) found[stage] = digest;
        }

        return found;
    }
}
