using System.Text.Json;
using Distill.Data.Curation;
using Distill.Data.Similarity;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Storage;

namespace Distill.Pipeline.Stages.Data;

/// <summary>Grades the traces and marks those that may be trained on; the others stay, each with its reason.</summary>
internal sealed class CurationStage(DistillationRecipe recipe) : IStage
{
    public const string StageName = "curated", FolderName = "3-curated";

    private const string Counts = "counts.json";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = FolderName,
        Kind = "graded-traces",
        Version = 3,
        Inputs =
        [
            TracesStage.StageName,
            .. recipe.Curation.ContaminationWords is null ? Array.Empty<string>() : [ProblemsStage.Test],
            .. recipe.Curation.Learnability is null ? Array.Empty<string>() : [LearnabilityStage.StageName],
        ],
        Options = new()
        {
            ["curation"] = recipe.Curation.ToKey(recipe),
            ["rules_version"] = TraceCuration.Version,
            ["verifiers"] = RecipeVerifiers.VersionsOf(recipe),
        },
    };

    public string Work => recipe.Traces.From is null
        ? $"{(recipe.Traces.IsPlain ? "" : "at most ")}{TeacherRole.MostTraces(recipe):N0} traces"
        : $"the traces of {recipe.TraceOrigin}";

    public StageLoad Load(Foresight earlier) => new(
        WorkKind.Rows, earlier.Rows(TracesStage.StageName) ?? TeacherRole.MostTraces(recipe));

    // Only what was kept is trained on.
    public long RowsOf(Artifact made) => ReadReport(made)?.Kept ?? 0;

    public static CurationReport? ReadReport(Artifact curated) =>
        JsonSerializer.Deserialize<CurationReport>(File.ReadAllBytes(curated.PathOf(Counts)), CanonicalJson.Spelling);

    public string Run(StageContext context)
    {
        var traces = context.Input(TracesStage.StageName);
        using var verifiers = RecipeVerifiers.Open(context, recipe);
        verifiers.Prepare(
            traces.PathsOf(".parquet").SelectMany(TraceFile.ReadTexts).Select(trace => (trace.Problem, trace.Answer)),
            traces.FilesWith(".parquet").Sum(file => file.Rows ?? 0));
        var plan = new CurationPlan(verifiers.All, recipe.Curation.ToOptions(), EvidenceOf(context));
        var files = new CuratedFiles(context, traces, plan);
        files.Survey();
        var summary = plan.Decide();
        var report = new CurationReport(
            summary.Kept, summary.Dropped.ToDictionary(reason => reason.Key, reason => (long)reason.Value), files.ExamplesOf(summary));
        context.Worked(new WorkDone(plan.Count, Units: plan.Count));
        string reasons = string.Join(", ", summary.Dropped.Select(pair => $"{pair.Key} {pair.Value:N0}"));
        if (summary.Kept == 0)
            throw new InvalidDataException(
                $"No trace is fit to train on: {reasons}. Look at {traces.Folder}, a better teacher or easier problems are needed.");
        files.Write();
        byte[] counts = [.. JsonSerializer.SerializeToUtf8Bytes(report, CanonicalJson.Spelling), (byte)'\n'];
        context.Writer.Write(Counts, counts);
        return $"{summary.Kept:N0} of {plan.Count:N0} traces kept" + (reasons.Length == 0 ? "" : $" ({reasons})");
    }

    private CurationEvidence EvidenceOf(StageContext context) => new()
    {
        TestProblems = recipe.Curation.ContaminationWords is { } words
            ? new GramIndex(ProblemsStage.Read(context, ProblemsStage.Test).Select(problem => problem.Text), words) : null,
        Learnability = recipe.Curation.Learnability is null ? null : LearnabilityStage.Read(context.Input(LearnabilityStage.StageName)),
    };
}
