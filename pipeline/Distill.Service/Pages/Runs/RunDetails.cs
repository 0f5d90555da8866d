using System.Collections.Concurrent;
using System.Text.Json;
using Distill.Evaluation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Store;
using Distill.Service.Fleet;
using Distill.Service.Running;
using Distill.Storage;

namespace Distill.Service.Pages.Runs;

/// <summary>An artefact that a run links to.</summary>
/// <param name="Link">Its name in the run's folder.</param>
/// <param name="Stage">That made it; its kind where that is not known.</param>
internal sealed record LinkedArtefact(string Link, StoreKey Key, int Version, string Stage, string Summary, string? KeyDigest);

/// <summary>A stage as a run's page shows it.</summary>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>interrupted</c>, <c>done</c> or <c>cached</c>.</param>
/// <param name="Reason">Why it was done, or why nothing had to be done; null where that is not known.</param>
/// <param name="Seconds">That it took when it was made; null where this run did not make it.</param>
/// <param name="Artefact">Address of what it made; null before.</param>
internal sealed record ShownStage(
    string Name, string State, string? Reason, string? Summary, double? Seconds, double? SecondsLeft, StageProgress? Progress,
    string? Artefact);

/// <summary>Everything that a run's page shows at once.</summary>
internal sealed record RunDetails(
    ShownRun Run, IReadOnlyList<ShownStage> Stages, IReadOnlyList<LinkedArtefact> Artefacts, string Recipe, RunReport? Report)
{
    public LinkedArtefact? Model => Artefacts.FirstOrDefault(one => one.Link == RunFolder.ModelLink);

    public LinkedArtefact? Traces => TracesAmong(Artefacts);

    /// <summary>A run's traces, graded where they are; null where it has none.</summary>
    public static LinkedArtefact? TracesAmong(IReadOnlyList<LinkedArtefact> artefacts) =>
        artefacts.FirstOrDefault(one => one.Link == CurationStage.FolderName)
        ?? artefacts.FirstOrDefault(one => one.Link == TracesStage.FolderName);
}

/// <summary>Reads runs whole. Artefacts never change, so what they say is remembered. Thread-safe.</summary>
internal sealed class RunReader(ServiceView view)
{
    private const int MostArtefacts = 20_000, MostReports = 256;

    private const long LargestRecipe = 1 << 20;

    private readonly ConcurrentDictionary<(StoreKey Key, int Version), (string Stage, string Summary, string? Key)> artefacts = new();
    private readonly FileMemory<RunReport> reports = new(MostReports, ReadReport);

    private ArtifactStore Store { get; } = new(Path.Combine(view.RunsFolder, ArtifactStore.FolderName), view.Clock);

    /// <summary>Null when there is no such run.</summary>
    public RunDetails? Find(string name)
    {
        if (view.Run(name) is not { } run || view.FolderOf(name) is not { } folder) return null;
        var linked = Linked(folder);
        var report = ReportOf(folder);
        var stages = WithWorkers(Stages(run, folder, linked, report), view.WorkersOn(name));
        return new(run, stages, linked, RecipeOf(folder), report ?? Unreported(folder, linked));
    }

    /// <summary>What was reported of a run; null where there is no report that this version can read.</summary>
    public RunReport? ReportOf(RunFolder folder) => reports.Of(folder.ReportJsonPath);

    /// <summary>What a run links to, in the order of its links.</summary>
    public IReadOnlyList<LinkedArtefact> Linked(RunFolder folder)
    {
        var linked = new List<LinkedArtefact>();
        foreach (var (link, (key, version)) in folder.Links())
        {
            if (Describe(key, version) is var (stage, summary, made))
                linked.Add(new(link, key, version, stage, view.Scrubbed(summary), made));
        }

        return linked;
    }

    /// <summary>The artefact itself; null where it is gone or damaged.</summary>
    public Artifact? Open(StoreKey key, int version)
    {
        try
        {
            return Artifact.TryOpen(Store.FolderOf(key, version), Store.Digests);
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private (string Stage, string Summary, string? Key)? Describe(StoreKey key, int version)
    {
        if (artefacts.TryGetValue((key, version), out var known)) return known;
        if (Open(key, version) is not { } artifact) return null;
        if (artefacts.Count >= MostArtefacts) artefacts.Clear();
        return artefacts[(key, version)] = (ArtifactOrigin.Of(artifact.Manifest).Stage ?? key.Kind, FinishedStages.SummaryOf(artifact),
            artifact.Manifest.Facts.GetValueOrDefault(StageKey.DigestFact));
    }

    // Each of the workers does a part, and none has the progress of the run.
    private static IReadOnlyList<ShownStage> WithWorkers(IReadOnlyList<ShownStage> stages, FleetRunStatus? order)
    {
        if (order is null) return stages;
        var open = order.Stages.Where(stage => stage.AtWork.Count > 0 || stage.Done > 0).ToDictionary(stage => stage.Stage);
        string[] names = [.. stages.Select(stage => stage.Name).Concat(open.Keys).Distinct()];
        return [.. names.Select(name => open.TryGetValue(name, out var work)
            ? new ShownStage(name, "running", $"by {string.Join(", ", work.AtWork)}", null, null, null,
                new StageProgress(work.Done, work.Units ?? 0, "units"), null)
            : stages.First(stage => stage.Name == name))];
    }

    private List<ShownStage> Stages(ShownRun run, RunFolder folder, IReadOnlyList<LinkedArtefact> linked, RunReport? report)
    {
        var progress = ProgressFile.TryRead(folder.Path);
        var ledger = RunLedger.Open(folder.LedgerPath);
        var stages = linked.Where(one => one.Link != RunFolder.ModelLink).ToList();
        string[] names = [.. (progress?.Stages.Select(stage => stage.Name) ?? report?.Stages.Select(stage => stage.Name) ?? [])
            .Concat(stages.Select(one => one.Stage)).Distinct()];
        return [.. names.Select(name => Stage(name, run.State == RunWord.Running, progress?.Stages.FirstOrDefault(one => one.Name == name),
            stages.FirstOrDefault(one => one.Stage == name), report?.Stages.FirstOrDefault(one => one.Name == name), ledger))];
    }

    private ShownStage Stage(
        string name, bool isAtWork, StageProgressEntry? entry, LinkedArtefact? made, StageReport? reported, RunLedger ledger)
    {
        string state = entry?.Standing switch
        {
            StageStanding.Running => isAtWork ? "running" : "interrupted",
            StageStanding.Done => "done",
            StageStanding.Cached => "cached",
            _ => made is null ? "waiting" : reported?.State == StageState.Cached ? "cached" : "done",
        };
        bool isNow = state == "running";
        double? seconds = entry?.Seconds ?? (made?.KeyDigest is { } key && ledger.Find(name, key) is { TakenFrom: null, Seconds: > 0 } own
            ? own.Seconds : null);
        string? reason = entry?.Reason ?? reported?.Reason.Split(": ", 2)[0];
        string? summary = isNow || state == "interrupted" ? null : entry?.Summary ?? made?.Summary;
        return new(name, state, Scrubbed(reason), Scrubbed(summary), seconds, isNow ? entry!.SecondsLeft : null,
            isNow ? entry!.Progress : null, made is null || isNow ? null : ServicePaths.Artefact(made.Key, made.Version));
    }

    private string? Scrubbed(string? text) => text is null ? null : view.Scrubbed(text);

    /// <summary>Without secrets; empty where there is none that can be shown.</summary>
    public string RecipeOf(RunFolder folder)
    {
        var file = new FileInfo(folder.RecipePath);
        return file is { Exists: true, LinkTarget: null, Length: < LargestRecipe } ? view.Scrubbed(File.ReadAllText(file.FullName)) : "";
    }

    // While there is no report: what was measured so far.
    private RunReport? Unreported(RunFolder folder, IReadOnlyList<LinkedArtefact> linked)
    {
        var evaluations = linked.Where(one => one.Key.Kind == "evaluation").Select(one => Open(one.Key, one.Version)).OfType<Artifact>()
            .Select(ReadEvaluation).OfType<EvaluationReport>().ToList();
        return evaluations.Count == 0 ? null : new RunReport { Run = folder.Name, RecipeDigest = "", Evaluations = evaluations };
    }

    private static EvaluationReport? ReadEvaluation(Artifact artifact)
    {
        try
        {
            return EvaluationStage.ReadReport(artifact);
        }
        catch (Exception fault) when (fault is InvalidDataException or JsonException or IOException)
        {
            return null; // damaged, or of an earlier version; the next run says so
        }
    }

    private static RunReport? ReadReport(string path)
    {
        try
        {
            return ReportJson.Read(File.ReadAllText(path));
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException)
        {
            return null; // of an earlier version, or withdrawn just now
        }
    }
}
