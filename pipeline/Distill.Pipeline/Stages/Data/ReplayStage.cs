using System.Globalization;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// Old examples against forgetting: of the traces that the promoted student was trained on, as many as make up the wanted share of
/// tonight's examples. Drawn by a hash of problem and sample, so that the draw depends on no order of files.
/// </summary>
internal sealed class ReplayStage(DistillationRecipe recipe) : IStage
{
    public const string StageName = "replay";

    private const ulong Draw = 0x7265_706C;

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "3-replay",
        Kind = "graded-traces",
        Version = 1,
        Inputs = [CurationStage.StageName, ExternalInputs.Replayed],
        Options = new() { ["share"] = recipe.ContinueFrom!.Replay, ["seed"] = recipe.Seed },
    };

    public string Work => string.Create(
        CultureInfo.InvariantCulture, $"{recipe.ContinueFrom!.Replay:P0} of the examples from version {recipe.ContinueFrom.Version}");

    /// <summary>What fine-tuning reads besides the curated traces; none where nothing is replayed.</summary>
    public static IReadOnlyList<string> InputsOf(DistillationRecipe recipe) =>
        recipe.ContinueFrom is { VersionFolder: not null, Replay: > 0 } ? [StageName] : [];

    public string Run(StageContext context)
    {
        double share = recipe.ContinueFrom!.Replay;
        long kept = CurationStage.ReadReport(context.Input(CurationStage.StageName).Artifact!)!.Kept;
        int wanted = (int)Math.Min(int.MaxValue, Math.Round(kept * share / (1 - share), MidpointRounding.AwayFromZero));
        string[] files = [.. Directory.EnumerateFiles(context.Input(ExternalInputs.Replayed).Folder, "*.parquet")
            .Order(StringComparer.Ordinal)];
        var chosen = Choose(files, wanted);
        TraceFile.Write(context.Writer, "data/train-00000.parquet", files.SelectMany(TraceFile.ReadGraded).Where(IsChosen));
        return $"{chosen.Count:N0} of the traces that version {recipe.ContinueFrom.Version} was trained on";

        bool IsChosen(GradedTrace graded) => graded.Keep && chosen.Contains(Rank(graded.Trace));
    }

    // The ranks of those with the lowest; equal ranks are equal traces, and count once.
    private HashSet<ulong> Choose(IReadOnlyList<string> files, int wanted) =>
    [
        .. files.SelectMany(TraceFile.ReadGradedTexts).Where(graded => graded.Keep).Select(graded => Rank(graded.Trace)).Distinct()
            .Order().Take(wanted),
    ];

    private ulong Rank(Trace trace) => SeedSequence.Derive(
        (ulong)recipe.Seed, Draw,
        SeedSequence.Hash(string.Create(CultureInfo.InvariantCulture, $"{trace.Problem.Id}\0{trace.SampleIndex}\0{trace.Seed}")));
}
