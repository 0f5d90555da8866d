using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <param name="Path">E.g. <c>sft.learning_rate</c>.</param>
/// <param name="Before">Null where the recipe has no such value.</param>
/// <param name="After">The same.</param>
internal sealed record ValueDifference(string Path, string? Before, string? After)
{
    public bool IsSeed => Path == "seed" || Path.EndsWith(".seed", StringComparison.Ordinal);
}

/// <param name="Before">Digest of the artefact; null where the run has none.</param>
/// <param name="After">The same.</param>
/// <param name="Reason">Why they differ, in words.</param>
/// <param name="IsSameContent">Made from something else, and every file came out equal.</param>
internal sealed record StageDifference(string Stage, string? Before, string? After, string Reason, bool IsSameContent);

internal sealed record ModelDifference(string Model, SheetDifference Answers);

/// <summary>What differs between two runs: values of their recipes, artefacts, results.</summary>
/// <param name="Before">Name of the first run.</param>
/// <param name="After">Name of the second.</param>
/// <param name="EqualSeeds">Seeds that are the same in both, by path; those that differ are in <paramref name="Recipe"/>.</param>
/// <param name="EqualStages">How many stages have the same artefact.</param>
/// <param name="Results">Every model that both runs evaluated.</param>
internal sealed record RunDifference(
    string Before, string After, IReadOnlyList<ValueDifference> Recipe, IReadOnlyList<string> EqualSeeds, int EqualStages,
    IReadOnlyList<StageDifference> Stages, IReadOnlyList<ModelDifference> Results)
{
    /// <summary>Models that only one of them evaluated, or whose answers are gone or damaged.</summary>
    public required IReadOnlyList<string> NotCompared { get; init; }

    /// <exception cref="RunRefusedException">One of them is no run of this version.</exception>
    public static RunDifference Of((string RunsFolder, string Name) before, (string RunsFolder, string Name) after, TimeProvider clock)
    {
        RunCatalogue.Require(before.RunsFolder, before.Name);
        RunCatalogue.Require(after.RunsFolder, after.Name);
        var first = ArtifactCatalogue.Of(before.RunsFolder, [before.Name], clock);
        var second = ArtifactCatalogue.Of(after.RunsFolder, [after.Name], clock);
        return Of(RunSide.Open(before, first), RunSide.Open(after, second));
    }

    private static RunDifference Of(RunSide before, RunSide after)
    {
        bool canLoad = before.Recipe is not null && after.Recipe is not null;
        Dictionary<string, string> old = before.Values(canLoad), current = after.Values(canLoad);
        var values = old.Keys.Union(current.Keys)
            .Select(path => new ValueDifference(path, old.GetValueOrDefault(path), current.GetValueOrDefault(path))).ToList();
        var stages = before.Stages.Keys.Union(after.Stages.Keys)
            .Select(stage => Difference(stage, before.Stages.GetValueOrDefault(stage), after.Stages.GetValueOrDefault(stage))).ToList();
        string[] models = [.. before.Models.Union(after.Models)];
        var results = models.Select(model => (Model: model, Before: before.Answers(model), After: after.Answers(model)))
            .Where(pair => pair.Before is not null && pair.After is not null)
            .Select(pair => new ModelDifference(pair.Model, AnswerSheets.Difference(pair.Before!, pair.After!))).ToList();
        return new RunDifference(
            before.Name, after.Name, [.. values.Where(value => value.Before != value.After)],
            [.. values.Where(value => value.IsSeed && value.Before == value.After).Select(value => value.Path)],
            stages.Count(stage => stage is null), [.. stages.OfType<StageDifference>()], results)
        {
            NotCompared = [.. models.Except(results.Select(result => result.Model))],
        };
    }

    // Null for stages that have the same artefact.
    private static StageDifference? Difference(string stage, CataloguedArtifact? before, CataloguedArtifact? after)
    {
        if (before is null || after is null)
            return new(stage, before?.Digest, after?.Digest, before is null ? "only in the second run" : "only in the first run", false);
        if (before.Digest == after.Digest && before.Digest is not null) return null;
        string reason = StageKey.Difference(before.Origin.Key, after.Origin.Key);
        bool isSameContent = before.Entry.Manifest is { } old
            && after.Entry.Manifest is { } current && old.Files.SequenceEqual(current.Files);
        return new(stage, before.Digest, after.Digest, reason, isSameContent);
    }

    /// <summary>One of the runs.</summary>
    /// <param name="Stages">What it links to, by stage.</param>
    /// <param name="Recipe">Null where it cannot be read whole, e.g. because its models were moved.</param>
    private sealed record RunSide(string Name, RunFolder Folder, Recipe? Recipe, IReadOnlyDictionary<string, CataloguedArtifact> Stages)
    {
        private const string Evaluations = "evaluation/";

        public IEnumerable<string> Models => Stages.Keys
            .Where(stage => stage.StartsWith(Evaluations, StringComparison.Ordinal)).Select(EvaluationStage.ModelOf);

        public static RunSide Open((string RunsFolder, string Name) run, ArtifactCatalogue catalogue)
        {
            var folder = RunCatalogue.Require(run.RunsFolder, run.Name);
            if (RunState.TryRead(folder.Path) is null)
                throw new RunRefusedException($"'{run.Name}' is a run of an earlier version, whose results cannot be compared: run its "
                    + $"recipe again.");
            var stages = catalogue.Of(run.Name).OrderBy(item => item.Uses.First(use => use.Run == run.Name).Link, StringComparer.Ordinal);
            return new(run.Name, folder, Load(folder), stages.DistinctBy(item => item.Name).ToDictionary(item => item.Name));
        }

        /// <param name="isWhole">Whether to give the values that are in use; otherwise those that the file has.</param>
        public Dictionary<string, string> Values(bool isWhole)
        {
            var values = new Dictionary<string, string>();
            string file = Folder.RecipePath;
            if (isWhole) Flatten(RecipeWriter.ToJson(Recipe!, Path.GetFullPath), "", values);
            else Flatten(RecipeYaml.Parse(File.ReadAllText(file), file, new RecipeSource("", Folder.Path)), "", values);
            return values;
        }

        public Artifact? Answers(string model)
        {
            if (Stages.GetValueOrDefault(EvaluationStage.NameOf(model)) is not { IsFinished: true } evaluation) return null;
            var artifact = Artifact.Open(evaluation.Entry.Folder);
            return artifact.Verify().Count == 0 ? artifact : null;
        }

        private static Recipe? Load(RunFolder folder)
        {
            try
            {
                return RecipeFile.Load(folder.RecipePath);
            }
            catch (InvalidRecipeException)
            {
                return null;
            }
        }

        private static void Flatten(JsonNode? node, string path, Dictionary<string, string> values)
        {
            switch (node)
            {
                case JsonObject map:
                    foreach (var (key, value) in map) Flatten(value, Below(path, key), values);
                    break;
                case JsonArray list when list.Any(item => item is JsonObject):
                    for (int i = 0; i < list.Count; i++) Flatten(list[i], Below(path, $"{i}"), values);
                    break;
                case JsonValue text when text.TryGetValue(out string? word):
                    values[path] = word;
                    break;
                case not null:
                    values[path] = CanonicalJson.Write(node);
                    break;
            }
        }

        private static void Flatten(RecipeNode node, string path, Dictionary<string, string> values)
        {
            switch (node)
            {
                case RecipeMapping map:
                    foreach (var (key, value) in map.Entries) Flatten(value, Below(path, key), values);
                    break;
                case RecipeSequence list:
                    for (int i = 0; i < list.Items.Count; i++) Flatten(list.Items[i], Below(path, $"{i}"), values);
                    break;
                case RecipeScalar { IsNothing: false } scalar:
                    values[path] = scalar.Text;
                    break;
            }
        }

        private static string Below(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
    }
}
