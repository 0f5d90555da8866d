using System.Text.Json.Nodes;
using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages;

/// <summary>Grades the traces and marks those that may be trained on; the others stay, each with its reason.</summary>
internal sealed class CurationStage(DistillationRecipe recipe) : IStage
{
    public const string Traces = "data/train-00000.parquet", Counts = "counts.json";

    public string Name => StageNames.Curated;

    public string Folder => "3-curated";

    public string Kind => "graded-traces";

    public int Version => 1;

    public IReadOnlyList<string> Inputs => [StageNames.Traces];

    public JsonObject Options => new()
    {
        ["max_per_problem"] = recipe.Curation.MaxPerProblem,
        ["rules_version"] = TraceCuration.Version,
        ["verifiers"] = VerifierVersions.Of(recipe),
    };

    public string Work => $"{(long)recipe.Problems.Train * recipe.Teacher.Samples:N0} traces";

    public string Run(StageContext context)
    {
        var verifiers = ProblemFamilies.All.ToDictionary(family => family.Name, family => family.Verifier);
        var traces = context.Input(StageNames.Traces).PathsOf(".parquet").SelectMany(TraceFile.Read);
        var result = TraceCuration.Run(traces, verifiers, recipe.Curation.ToOptions());
        if (result.Kept == 0) throw new InvalidDataException($"No trace is fit to train on: {Reasons(result)}. Look at {context.Folder}, a better teacher or easier problems are needed.");
        var file = TraceFile.Write(context.Writer, Traces, result.Traces);
        context.Writer.Write(Counts, CountsOf(result));
        var card = new DatasetCard
        {
            Title = "Graded reasoning traces",
            Description = "The teacher's traces with the verifier's verdict. Train on rows with `keep`; `drop_reason` says why not on the others.",
            Graded = true,
            Files = new Dictionary<Split, IReadOnlyList<Data.Storage.ArtifactFile>> { [Split.Train] = [file] },
        };
        context.Writer.Write("README.md", card.ToBytes());
        return $"{result.Kept:N0} of {result.Traces.Count:N0} traces kept" + (result.Dropped.Count == 0 ? "" : $" ({Reasons(result)})");
    }

    private static string Reasons(CurationResult result) => string.Join(", ", result.Dropped.Select(pair => $"{pair.Key} {pair.Value:N0}"));

    private static byte[] CountsOf(CurationResult result) => System.Text.Encoding.UTF8.GetBytes(new JsonObject
    {
        ["kept"] = result.Kept,
        ["dropped"] = new JsonObject(result.Dropped.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
    }.ToJsonString() + "\n");
}
