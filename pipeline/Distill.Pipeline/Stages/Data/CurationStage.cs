using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Storage;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Stages.Data;

/// <summary>Grades the traces and marks those that may be trained on; the others stay, each with its reason.</summary>
internal sealed class CurationStage(DistillationRecipe recipe) : IStage
{
    public const string StageName = "curated", FolderName = "3-curated", Traces = "data/train-00000.parquet";

    private const string Counts = "counts.json";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = FolderName,
        Kind = "graded-traces",
        Version = 2,
        Inputs = [TracesStage.StageName],
        Options = new()
        {
            ["curation"] = recipe.Curation.ToKey(recipe),
            ["rules_version"] = TraceCuration.Version,
            ["verifiers"] = RecipeVerifiers.VersionsOf(recipe),
        },
    };

    public string Work => $"{(long)recipe.Problems.Train * recipe.Teacher.Samples:N0} traces";

    public static CurationReport? ReadReport(Artifact curated) =>
        JsonSerializer.Deserialize<CurationReport>(File.ReadAllBytes(curated.PathOf(Counts)), CanonicalJson.Spelling);

    public string Run(StageContext context)
    {
        var traces = context.Input(TracesStage.StageName).PathsOf(".parquet").SelectMany(TraceFile.Read);
        var result = TraceCuration.Run(traces, ProblemVerifiers.Standard, recipe.Curation.ToOptions());
        if (result.Kept == 0)
            throw new InvalidDataException(
                $"No trace is fit to train on: {Reasons(result)}. "
                + $"Look at {context.Input(TracesStage.StageName).Folder}, a better teacher or easier problems are needed.");
        var file = TraceFile.Write(context.Writer, Traces, result.Traces);
        context.Writer.Write(Counts, CountsOf(result));
        var card = new DatasetCard
        {
            Title = "Graded reasoning traces",
            Description = "The teacher's traces with the verifier's verdict. "
                + "Train on rows with `keep`; `drop_reason` says why not on the others.",
            Graded = true,
            Files = new Dictionary<Split, IReadOnlyList<ArtifactFile>> { [Split.Train] = [file] },
        };
        context.Writer.Write("README.md", card.ToBytes());
        return $"{result.Kept:N0} of {result.Traces.Count:N0} traces kept" + (result.Dropped.Count == 0 ? "" : $" ({Reasons(result)})");
    }

    private static string Reasons(CurationResult result) => string.Join(", ", result.Dropped.Select(pair => $"{pair.Key} {pair.Value:N0}"));

    private static byte[] CountsOf(CurationResult result) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["kept"] = result.Kept,
        ["dropped"] = new JsonObject(result.Dropped.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
    }.ToJsonString() + "\n");
}

/// <summary>The verifiers that grade a recipe's problems, by name: part of the key of every stage that grades.</summary>
internal static class RecipeVerifiers
{
    public static JsonObject VersionsOf(DistillationRecipe recipe) => new(recipe.Problems.VerifierNames().Distinct()
        .Order(StringComparer.Ordinal)
        .Select(name => KeyValuePair.Create(name, (JsonNode?)ProblemVerifiers.Standard.TryGet(name)?.Version)));
}
