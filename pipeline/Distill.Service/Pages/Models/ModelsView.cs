using Distill.Pipeline.Promotions;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Service.Pages.Runs;
using Distill.Service.Schedules;

namespace Distill.Service.Pages.Models;

/// <summary>A place that applications load, and what it shows.</summary>
/// <param name="Version">Null where nothing was promoted yet, or what was cannot be read.</param>
/// <param name="Fault">Why it cannot be read; null otherwise.</param>
internal sealed record PromotedPlace(string Place, IReadOnlyList<string> Schedules, PromotedVersion? Version, string? Fault);

/// <summary>The exported model of a run.</summary>
/// <param name="Bytes">Of all its files.</param>
/// <param name="Greedy">Share of test problems that it solves greedily; null where that was not measured.</param>
/// <param name="Place">Where it is in place now; null where it is not.</param>
internal sealed record ExportedModel(
    string Run, DateTimeOffset Changed, LinkedArtefact Artefact, long Bytes, int Files, double? Greedy, int Problems, string? Promotion,
    string? Place);

/// <summary>Models that runs exported, and those that applications load. Thread-safe.</summary>
internal sealed class ModelsView(ServiceView view, RunReader reader, ScheduleBook book)
{
    public const int PerPage = 50;

    /// <summary>Every place that a schedule promotes to.</summary>
    public IReadOnlyList<PromotedPlace> Places() =>
    [
        .. book.Document.Schedules.Where(schedule => schedule.Then.Promote is { Length: > 0 })
            .GroupBy(schedule => schedule.Then.Promote!, schedule => schedule.Name).Select(place => Read(place.Key, [.. place])),
    ];

    /// <summary>The newest first.</summary>
    public Paged<ExportedModel> Exported(int page, IReadOnlyList<PromotedPlace> places)
    {
        var runs = view.RunNames().Where(name => Directory.Exists(new RunFolder(view.RunsFolder, name).ModelPath)).ToList();
        var shown = Paged<ExportedModel?>.Of(runs, page, PerPage, name => Export(name, places));
        return new([.. shown.Items.OfType<ExportedModel>()], shown.Number, shown.Pages, shown.All);
    }

    private static PromotedPlace Read(string place, IReadOnlyList<string> schedules)
    {
        try
        {
            var version = PromotionPlace.CurrentOf(place) is { } number
                ? PromotedVersion.Read(PromotionPlace.FolderOf(place, number)) : null;
            return new(place, schedules, version, null);
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new(place, schedules, null, fault.Message);
        }
    }

    private ExportedModel? Export(string name, IReadOnlyList<PromotedPlace> places)
    {
        if (view.Run(name) is not { } run || view.FolderOf(name) is not { } folder) return null;
        var linked = reader.Linked(folder).FirstOrDefault(one => one.Link == RunFolder.ModelLink);
        if (linked is null || reader.Open(linked.Key, linked.Version) is not { } artifact) return null;
        var report = reader.ReportOf(folder);
        string? exported = report?.Models.FirstOrDefault(model => model.Role == ModelRole.Exported)?.Name;
        var measured = report?.Evaluations.FirstOrDefault(row => row.Model == exported);
        string? place = places.FirstOrDefault(one =>
            one.Version is { } version && version.Run == name && Path.GetFullPath(version.RunsFolder) == view.RunsFolder)?.Place;
        return new(name, run.Changed, linked, artifact.Manifest.Files.Sum(file => file.Bytes), artifact.Manifest.Files.Count,
            measured?.Greedy, measured?.Problems ?? 0, report?.Promotion?.Sentence, place);
    }
}
