using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Runs;

/// <param name="State"><c>finished</c> or <c>not done</c>; for a single run also how far unfinished work is.</param>
/// <param name="Digest">Of the artefact; null when there is none.</param>
public sealed record StageRecord(string Name, string State, double? Seconds, string? Digest, string Summary);

/// <param name="State"><c>finished</c>, <c>running</c>, <c>stopped</c>, <c>failed</c>, or <c>earlier version</c>.</param>
/// <param name="Reason">Why it failed or stopped; null otherwise.</param>
/// <param name="Changed">When the run was last worked on.</param>
public sealed record RunSummary(
    string Name, string Folder, string State, string? Reason, DateTimeOffset Changed, IReadOnlyList<StageRecord> Stages);

/// <summary>The runs in a folder, read from what they left there. Changes nothing.</summary>
public static class RunCatalogue
{
    private const string Finished = "finished", NotDone = "not done", Earlier = "earlier version";

    /// <summary>Newest first; empty when the folder does not exist.</summary>
    public static IReadOnlyList<RunSummary> List(string runsFolder) => [.. Folders(runsFolder)
        .Select(folder => Summarize(folder, stage => Linked(folder, stage)))
        .OrderByDescending(run => run.Changed)];

    /// <exception cref="RunRefusedException">There is no such run.</exception>
    public static RunSummary Find(string runsFolder, string name)
    {
        var folder = Require(runsFolder, name);
        var plan = PlanOf(folder);
        return Summarize(folder, stage => plan?.GetValueOrDefault(stage.Declaration.Name) is { Decision: StageDecision.Run } open
            ? new StageRecord(
                open.Name, open.Reason.StartsWith("continues", StringComparison.Ordinal) ? open.Reason : NotDone,
                null, null, open.Reason)
            : Linked(folder, stage));
    }

    /// <summary>The folder of a run of ours.</summary>
    /// <exception cref="RunRefusedException">There is no such run.</exception>
    internal static RunFolder Require(string runsFolder, string name)
    {
        var runs = Folders(runsFolder).ToList();
        return runs.FirstOrDefault(run => run.Name == name) ?? throw new RunRefusedException(
            $"There is no run '{name}' in {Path.GetFullPath(runsFolder)}"
            + (runs.Count == 0 ? "." : $"; {Suggestion.Remedy(name, [.. runs.Select(run => run.Name)])}"));
    }

    /// <summary>Every run of a folder, those of earlier versions too.</summary>
    internal static IEnumerable<RunFolder> Folders(string runsFolder) => !Directory.Exists(runsFolder) ? [] : Directory
        .EnumerateDirectories(runsFolder)
        .Where(path => Path.GetFileName(path)[0] != '.' && File.Exists(Path.Combine(path, "recipe.yaml")))
        .Select(path => new RunFolder(runsFolder, Path.GetFileName(path)))
        .Where(folder => RunState.TryRead(folder.Path) is not null || File.Exists(folder.LedgerPath));

    private static RunSummary Summarize(RunFolder folder, Func<IStage, StageRecord> describe)
    {
        var state = RunState.TryRead(folder.Path);
        string word = folder.IsLocked() ? "running" : state?.Progress switch
        {
            null => Earlier,
            RunProgress.Finished => Finished,
            RunProgress.Failed => "failed",
            _ => "stopped",
        };
        string? reason = word is "running" or Finished ? null
            : state is { Progress: RunProgress.Running } ? "its process ended"
            : state?.Reason;
        var changed = state?.Changed ?? Directory.GetLastWriteTimeUtc(folder.Path);
        IReadOnlyList<StageRecord> stages = state is null ? [] : [.. Stages(folder, state).Select(describe)];
        return new RunSummary(folder.Name, folder.Path, word, reason, changed, stages);
    }

    private static StageRecord Linked(RunFolder folder, IStage stage)
    {
        var declaration = stage.Declaration;
        if (folder.LinkOf(declaration.Folder) is not { } place || Open(folder, place) is not { } artifact)
            return new(declaration.Name, NotDone, null, null, "");
        var entry = RunLedger.Open(folder.LedgerPath)
            .Find(declaration.Name, artifact.Manifest.Facts.GetValueOrDefault(StageKey.DigestFact, ""));
        double? seconds = entry is { TakenFrom: null } own ? own.Seconds : null;
        return new(declaration.Name, Finished, seconds, artifact.Digest, FinishedStages.SummaryOf(artifact));
    }

    // A damaged manifest is nobody's artefact; the next run says so and makes it again.
    private static Artifact? Open(RunFolder folder, (StoreKey Key, int Version) place)
    {
        try
        {
            return Artifact.TryOpen(new ArtifactStore(folder.StorePath, TimeProvider.System).FolderOf(place.Key, place.Version));
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    // A run whose recipe can no longer be read (its models moved away) is still a run.
    private static IReadOnlyList<IStage> Stages(RunFolder folder, RunState state)
    {
        try
        {
            var graph = StageGraph.For(RecipeFile.Load(folder.RecipePath, null, makesStudent: state.Goal is null));
            return new StageSelection(new RunOptions { Until = state.Goal }, graph).Needed;
        }
        catch (Exception fault) when (fault is InvalidRecipeException or RunRefusedException)
        {
            return [];
        }
    }

    private static Dictionary<string, PlannedStage>? PlanOf(RunFolder folder)
    {
        if (RunState.TryRead(folder.Path) is not { } state) return null;
        try
        {
            var options = new RunOptions { RunsFolder = folder.RunsPath, Name = folder.Name, Until = state.Goal };
            var recipe = RecipeFile.Load(folder.RecipePath, null, makesStudent: state.Goal is null);
            return PipelineRun.Plan(recipe, options).Stages.ToDictionary(stage => stage.Name);
        }
        catch (InvalidRecipeException)
        {
            return null;
        }
    }
}
