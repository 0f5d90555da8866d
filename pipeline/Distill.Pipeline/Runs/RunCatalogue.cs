using System.Text;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Storage;

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
    public static IReadOnlyList<RunSummary> List(string runsFolder)
    {
        var recipes = new ReadRecipes();
        return [.. Folders(runsFolder).Select(folder => Summarize(folder, recipes, Linked(folder))).OrderByDescending(run => run.Changed)];
    }

    /// <exception cref="RunRefusedException">There is no such run.</exception>
    public static RunSummary Find(string runsFolder, string name)
    {
        var folder = Require(runsFolder, name);
        var plan = PlanOf(folder);
        var linked = Linked(folder);
        return Summarize(folder, new ReadRecipes(), stage =>
            plan?.GetValueOrDefault(stage.Declaration.Name) is { Decision: StageDecision.Run } open
                ? new StageRecord(
                    open.Name, open.Reason.StartsWith("continues", StringComparison.Ordinal) ? open.Reason : NotDone,
                    null, null, open.Reason)
                : linked(stage));
    }

    /// <summary>The folder of a run of ours.</summary>
    /// <exception cref="RunRefusedException">There is no such run.</exception>
    internal static RunFolder Require(string runsFolder, string name)
    {
        var folder = new RunFolder(runsFolder, name);
        if (RunName.IsValid(name) && IsRun(folder)) return folder;
        var runs = Folders(runsFolder).ToList();
        throw new RunRefusedException(
            $"There is no run '{name}' in {Path.GetFullPath(runsFolder)}"
            + (runs.Count == 0 ? "." : $"; {Suggestion.Remedy(name, [.. runs.Select(run => run.Name)])}"));
    }

    /// <summary>A stage of a run as its link tells.</summary>
    internal static StageRecord? StageOf(RunFolder folder, string stage) =>
        Summarize(folder, new ReadRecipes(), Linked(folder)).Stages.FirstOrDefault(record => record.Name == stage);

    /// <summary>Every run of a folder, those of earlier versions too.</summary>
    internal static IEnumerable<RunFolder> Folders(string runsFolder) => !Directory.Exists(runsFolder) ? [] : Directory
        .EnumerateDirectories(runsFolder)
        .Where(path => Path.GetFileName(path)[0] != '.')
        .Select(path => new RunFolder(runsFolder, Path.GetFileName(path)))
        .Where(IsRun);

    internal static bool IsRun(RunFolder folder) =>
        File.Exists(folder.RecipePath) && (RunState.TryRead(folder.Path) is not null || File.Exists(folder.LedgerPath));

    private static RunSummary Summarize(RunFolder folder, ReadRecipes recipes, Func<IStage, StageRecord> describe)
    {
        var state = RunState.TryRead(folder.Path);
        // This list has no word of its own for what a gate refused: the run did, or did not, reach its end.
        string word = folder.IsLocked() ? RunWord.Running : state is null ? Earlier : RunWord.Of(state with { Verdict = null }, folder);
        string? reason = word is RunWord.Running or Finished ? null
            : state is { Progress: RunProgress.Running } ? "its process ended"
            : state?.Reason;
        var changed = state?.Changed ?? Directory.GetLastWriteTimeUtc(folder.Path);
        IReadOnlyList<StageRecord> stages = state is null ? [] : [.. recipes.StagesOf(folder, state).Select(describe)];
        return new RunSummary(folder.Name, folder.Path, word, reason, changed, stages);
    }

    private static Func<IStage, StageRecord> Linked(RunFolder folder)
    {
        var ledger = RunLedger.Open(folder.LedgerPath);
        return stage => Linked(folder, ledger, stage);
    }

    private static StageRecord Linked(RunFolder folder, RunLedger ledger, IStage stage)
    {
        var declaration = stage.Declaration;
        if (folder.LinkOf(declaration.Folder) is not { } place || Open(folder, place) is not { } artifact)
            return new(declaration.Name, NotDone, null, null, "");
        var entry = ledger.Find(declaration.Name, artifact.Manifest.Facts.GetValueOrDefault(StageKey.DigestFact, ""));
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

    /// <summary>Runs by a schedule have one recipe, which need not be read a thousand times. One thread.</summary>
    private sealed class ReadRecipes
    {
        private readonly Dictionary<(string Text, string? Goal), IReadOnlyList<IStage>> stages = [];

        public IReadOnlyList<IStage> StagesOf(RunFolder folder, RunState state)
        {
            if (OptionalFile.TryRead(folder.RecipePath) is not { } text) return []; // the run is being removed
            var recipe = (Encoding.UTF8.GetString(text), state.Goal);
            return stages.TryGetValue(recipe, out var known) ? known : stages[recipe] = Read(folder, state);
        }

        // A run whose recipe can no longer be read (its models moved away) is still a run.
        private static IReadOnlyList<IStage> Read(RunFolder folder, RunState state)
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
    }
}
