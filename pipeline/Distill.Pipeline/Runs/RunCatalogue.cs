using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages;

namespace Distill.Pipeline.Runs;

/// <param name="State"><c>finished</c> or <c>not done</c>.</param>
/// <param name="Digest">Of the artefact; null when there is none.</param>
public sealed record StageRecord(string Name, string State, double? Seconds, string? Digest, string Summary);

/// <param name="State"><c>finished</c>, <c>unfinished</c> or <c>running</c>.</param>
/// <param name="Changed">Last change of the run's folder.</param>
public sealed record RunSummary(string Name, string Folder, string State, DateTimeOffset Changed, IReadOnlyList<StageRecord> Stages);

/// <summary>The runs in a folder, read from what they left there. Changes nothing.</summary>
public static class RunCatalogue
{
    /// <summary>Newest first; empty when the folder does not exist.</summary>
    public static IReadOnlyList<RunSummary> List(string runsFolder) => !Directory.Exists(runsFolder)
        ? []
        : [.. Directory.EnumerateDirectories(runsFolder)
            .Select(path => new RunFolder(runsFolder, Path.GetFileName(path)))
            .Where(folder => File.Exists(folder.RecipePath) && IsDistillation(folder))
            .Select(Summarize)
            .OrderByDescending(run => run.Changed)];

    /// <exception cref="RunRefusedException">There is no such run.</exception>
    public static RunSummary Find(string runsFolder, string name)
    {
        var runs = List(runsFolder);
        return runs.FirstOrDefault(run => run.Name == name)
            ?? throw new RunRefusedException($"There is no run '{name}' in {Path.GetFullPath(runsFolder)}" + (runs.Count == 0 ? "." : $"; {Suggestion.Remedy(name, [.. runs.Select(run => run.Name)])}"));
    }

    private static bool IsDistillation(RunFolder folder) => !File.ReadAllText(folder.RecipePath).Contains("\nkind: pretrain", StringComparison.Ordinal);

    private static RunSummary Summarize(RunFolder folder)
    {
        var ledger = RunLedger.Open(folder.LedgerPath);
        var finished = new FinishedStages(folder, useOtherRuns: false);
        var stages = Stages(folder).Select(stage => finished.Own(stage) is { } artifact
            ? new StageRecord(stage.Name, "finished", ledger.Find(stage.Name, FinishedStages.KeyOf(artifact) ?? "")?.Seconds, artifact.Digest, FinishedStages.SummaryOf(artifact))
            : new StageRecord(stage.Name, "not done", null, null, "")).ToList();
        string state = folder.IsLocked() ? "running" : stages.Count > 0 && stages.All(stage => stage.State == "finished") ? "finished" : "unfinished";
        return new RunSummary(folder.Name, folder.Path, state, Directory.GetLastWriteTimeUtc(folder.Path), stages);
    }

    // A run whose recipe can no longer be read (its models moved away) is still a run.
    private static IReadOnlyList<IStage> Stages(RunFolder folder)
    {
        try
        {
            return StageList.For(RecipeFile.Load<DistillationRecipe>(folder.RecipePath));
        }
        catch (InvalidRecipeException)
        {
            return [];
        }
    }
}
