using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Service.Pages.Models;

/// <summary>What applications load, and what could take its place.</summary>
internal static class ModelsPage
{
    public static PageFrame Of(IReadOnlyList<PromotedPlace> places, Paged<ExportedModel> models) => new(
        "models", ServicePaths.Models, Html.Of($"{PageWords.Count(models.All, "exported model", "exported models")}"), Html.Of($"""
        {PageWords.Live("places", Parts.Section("In place",
            places.Count == 0 ? "No schedule promotes its model; 'then: { promote: … }' would." : "What applications load.",
            Html.If(places.Count > 0, () => PageWords.Stacked(Parts.Table(["place", "version", "of run", "since, UTC", "why"],
                places.Select(Place), "of run", "since, UTC", "why")))))}
        {PageWords.Live("models", Parts.Section("Exported by runs", models.All == 0 ? "None yet." : "",
            Html.If(models.All > 0, () => Html.Of($"""
                {PageWords.Stacked(Parts.Table(["run", "more", "when, UTC", "greedy", "size", "promotion"], models.Items.Select(Model),
                    "more", "when, UTC", "promotion"))}
                {PageWords.Pages(models.Number, models.Pages, number => $"/models?page={number}")}
                """))))}
        """));

    private static Html InPlace(ExportedModel model) => Html.If(model.Place is not null, () => Html.Of($"{PageWords.Pill("in place")} "));

    private static Html Place(PromotedPlace place) => Parts.Row(
        Html.Of($"{place.Place}<small>by {string.Join(", ", place.Schedules)}</small>"),
        Parts.Cell(place.Version is { } version ? ReportNumbers.Count(version.Number) : "–"),
        place.Version is { } of ? PageWords.Cell(PageWords.Link(ServicePaths.Run(of.Run), of.Run)) : PageWords.None,
        place.Version is { } since ? PageWords.Cell(PageWords.Time(since.Promoted)) : PageWords.None,
        PageWords.Text(place.Version?.Report.Sentence ?? place.Fault ?? "nothing was promoted yet"));

    private static Html Model(ExportedModel model) => Parts.Row(
        PageWords.Link(ServicePaths.Run(model.Run), model.Run),
        PageWords.Cell(Html.Of($"""
            <a href="{ServicePaths.Of(model.Run, "card")}">card</a>
            <a href="{ServicePaths.Artefact(model.Artefact.Key, model.Artefact.Version)}">files</a>
            """)),
        PageWords.Cell(PageWords.Time(model.Changed)),
        Parts.Share(model.Greedy, model.Problems),
        Parts.Cell(ReportNumbers.Bytes(model.Bytes)),
        Html.Of($"<td class=\"words free\">{InPlace(model)}{model.Promotion}</td>"));
}
