using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages.Data;

/// <summary>Leaves out of a split what the promoted student was trained on, where the recipe goes on from one.</summary>
internal sealed class NewProblems
{
    private readonly int? version;

    private NewProblems(int? version) => this.version = version;

    /// <summary>What the stage reads for it.</summary>
    public IReadOnlyList<string> Inputs => version is null ? [] : [ExternalInputs.Known];

    public static NewProblems Of(DistillationRecipe recipe, Split split) =>
        new(split == Split.Train && recipe.ContinueFrom is { VersionFolder: not null, NewProblems: true } section ? section.Version : null);

    /// <param name="draw">Gives so many problems of the split.</param>
    /// <param name="drawAtMost">The same, or as many as there are.</param>
    /// <returns>The first of them that are new, and what to say of the others.</returns>
    /// <exception cref="RunEndedException">None is.</exception>
    public (IReadOnlyList<Problem> Problems, string Note) Take(
        StageContext context, int count, Func<int, IReadOnlyList<Problem>> draw, Func<int, IReadOnlyList<Problem>> drawAtMost)
    {
        if (version is null) return (draw(count), "");
        var known = KnownProblems.Read(context.Input(ExternalInputs.Known).Folder);
        var drawn = drawAtMost((int)Math.Min(int.MaxValue, (long)count + known.Count));
        List<Problem> fresh = [.. drawn.Where(problem => !known.Contains(KnownProblems.DigestOf(problem))).Take(count)];
        string left = fresh.Count < count ? $" ({count:N0} were asked for, and no more are left)" : "";
        return fresh.Count > 0 ? (fresh, $", none of the {known.Count:N0} that version {version} was trained on{left}")
            : throw new RunEndedException($"There is no problem that version {version} was not trained on: nothing to do.");
    }
}

/// <summary>
/// Old examples against forgetting: of the traces that the promoted student was trained on, as many as make up the wanted share of
/// tonight's examples, without those whose problems are tested on now.
/// Drawn by a hash of problem and sample, so that the draw depends on no order of files.
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
        Version = 2,
        Inputs = [CurationStage.StageName, ProblemsStage.Test, ExternalInputs.Replayed],
        Options = new() { ["share"] = recipe.ContinueFrom!.Replay, ["seed"] = recipe.Seed },
    };

    public string Work => string.Create(
        CultureInfo.InvariantCulture, $"{recipe.ContinueFrom!.Replay:P0} of the examples from version {recipe.ContinueFrom.Version}");

    /// <summary>What fine-tuning reads besides the curated traces; none where nothing is replayed.</summary>
    public static IReadOnlyList<string> InputsOf(DistillationRecipe recipe) =>
        recipe.ContinueFrom is { VersionFolder: not null, Replay: > 0 } ? [StageName] : [];

    public StageLoad Load(Foresight earlier)
    {
        double share = recipe.ContinueFrom!.Replay;
        return new(WorkKind.Rows, (long)((earlier.Rows(CurationStage.StageName) ?? 0) * share / (1 - share)));
    }

    public string Run(StageContext context)
    {
        double share = recipe.ContinueFrom!.Replay;
        long kept = CurationStage.ReadReport(context.Input(CurationStage.StageName).Artifact!)!.Kept;
        int wanted = (int)Math.Min(int.MaxValue, Math.Round(kept * share / (1 - share), MidpointRounding.AwayFromZero));
        string[] files = [.. Directory.EnumerateFiles(context.Input(ExternalInputs.Replayed).Folder, "*.parquet")
            .Order(StringComparer.Ordinal)];
        var tested = ProblemsStage.Read(context, ProblemsStage.Test).Select(KnownProblems.DigestOf).ToHashSet(StringComparer.Ordinal);
        var chosen = Choose(files, wanted, tested);
        TraceFile.Write(context.Writer, "data/train-00000.parquet", files.SelectMany(TraceFile.ReadGraded).Where(IsChosen));
        context.Worked(new WorkDone(chosen.Count, Units: chosen.Count));
        return $"{chosen.Count:N0} of the traces that version {recipe.ContinueFrom.Version} was trained on";

        bool IsChosen(GradedTrace graded) => IsOffered(graded, tested) && chosen.Contains(Rank(graded.Trace));
    }

    // A split that was drawn anew, or files that grew, may test on what was trained on before.
    private static bool IsOffered(GradedTrace graded, HashSet<string> tested) =>
        graded.Keep && !tested.Contains(KnownProblems.DigestOf(graded.Trace.Problem));

    // The ranks of those with the lowest; equal ranks are equal traces, and count once.
    private HashSet<ulong> Choose(IReadOnlyList<string> files, int wanted, HashSet<string> tested) =>
    [
        .. files.SelectMany(TraceFile.ReadGradedTexts).Where(graded => IsOffered(graded, tested)).Select(graded => Rank(graded.Trace))
            .Distinct().Order().Take(wanted),
    ];

    private ulong Rank(Trace trace) => SeedSequence.Derive(
        (ulong)recipe.Seed, Draw,
        SeedSequence.Hash(string.Create(CultureInfo.InvariantCulture, $"{trace.Problem.Id}\0{trace.SampleIndex}\0{trace.Seed}")));
}
