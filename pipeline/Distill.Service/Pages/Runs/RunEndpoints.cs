using System.Text;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Store;
using Distill.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Distill.Service.Pages.Runs;

/// <summary>What can be asked about runs: pages, the same as JSON, and files.</summary>
internal sealed class RunEndpoints(ServiceView view, RunReader reader)
{
    // A report holds what models wrote: it may show itself and nothing else.
    private const string ReportPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'";

    private static readonly Dictionary<string, string> Plain = new(StringComparer.Ordinal)
    {
        ["report.json"] = "application/json", ["run.lock.json"] = "application/json",
        ["metrics.jsonl"] = "text/plain; charset=utf-8",
    };

    private readonly RunCurves curves = new();

    public void Map(WebApplication application)
    {
        application.MapGet("/runs", context =>
            PageResponse.SendAsync(context, RunsPage.Of(view, Filter(context), Number(context, "page")), view.Now));
        application.MapGet("/api/runs", context =>
            PageResponse.JsonAsync(context, view.Runs(Filter(context), Number(context, "page"), RunsPage.PerPage)));
        application.MapGet("/runs/{name}", context => ShowRun(context, isJson: false));
        application.MapGet("/api/runs/{name}", context => ShowRun(context, isJson: true));
        application.MapGet("/api/runs/{name}/curves", ShowCurves);
        application.MapGet("/runs/{name}/report.html", ShowReport);
        foreach (var (file, type) in Plain) application.MapGet("/runs/{name}/" + file, context => ShowPlain(context, file, type));
        application.MapGet("/runs/{name}/recipe.yaml", context => view.FolderOf(NameOf(context)) is { } folder
            ? PageResponse.SendAsync(context, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(reader.RecipeOf(folder)))
            : PageResponse.NotFoundAsync(context));
        application.MapGet("/runs/{name}/log", ShowLog);
        application.MapGet("/runs/{name}/log.txt", ShowLogText);
        application.MapGet("/api/runs/{name}/log", ShowLogText);
        application.MapGet("/runs/{name}/card", ShowCard);
        application.MapGet("/runs/{name}/lineage", context => ShowLineage(context, isJson: false));
        application.MapGet("/api/runs/{name}/lineage", context => ShowLineage(context, isJson: true));
        application.MapGet("/compare", context => Compare(context, isJson: false));
        application.MapGet("/api/compare", context => Compare(context, isJson: true));
    }

    private Task ShowRun(HttpContext context, bool isJson)
    {
        if (reader.Find(NameOf(context)) is not { } details) return PageResponse.NotFoundAsync(context);
        return isJson
            ? PageResponse.JsonAsync(context, new
            {
                details.Run, details.Stages, details.Recipe, artefacts = details.Artefacts.Select(one =>
                    new { one.Link, one.Stage, one.Summary, address = ServicePaths.Artefact(one.Key, one.Version) }),
                evaluations = details.Report?.Evaluations, promotion = details.Report?.Promotion,
            })
            : PageResponse.SendAsync(context, RunPage.Of(details, curves.Of(MetricsOf(details.Run.Name))), view.Now);
    }

    private Task ShowCurves(HttpContext context)
    {
        if (view.FolderOf(NameOf(context)) is not { } folder) return PageResponse.NotFoundAsync(context);
        return PageResponse.JsonAsync(context, curves.Of(folder.MetricsPath).Select(curve => new
        {
            curve.Stage, curve.Name, points = curve.Points.Select(point => (double[])[point.Step, point.Value]),
        }));
    }

    private Task ShowReport(HttpContext context)
    {
        if (view.FolderOf(NameOf(context)) is not { } folder) return PageResponse.NotFoundAsync(context);
        context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
        return PageResponse.ShowFileAsync(context, folder.Path, "report.html", "text/html; charset=utf-8");
    }

    private Task ShowPlain(HttpContext context, string file, string type) => view.FolderOf(NameOf(context)) is { } folder
        ? PageResponse.ShowFileAsync(context, folder.Path, file, type) : PageResponse.NotFoundAsync(context);

    private Task ShowLog(HttpContext context) => view.Run(NameOf(context)) is { } run
        ? PageResponse.SendAsync(context, LogPage.Of(view, run, new RunFolder(view.RunsFolder, run.Name).LogPath), view.Now)
        : PageResponse.NotFoundAsync(context);

    private Task ShowLogText(HttpContext context)
    {
        if (view.FolderOf(NameOf(context)) is not { } folder) return PageResponse.NotFoundAsync(context);
        return File.Exists(folder.LogPath)
            ? PageResponse.ShowFileAsync(context, folder.Path, ProgressRecorder.LogName, "text/plain; charset=utf-8")
            : PageResponse.SendAsync(context, "text/plain; charset=utf-8", []); // begun by an earlier version, or has said nothing yet
    }

    private Task ShowCard(HttpContext context)
    {
        if (reader.Find(NameOf(context)) is not { Model: { } model } details || reader.Open(model.Key, model.Version) is not { } artifact)
            return PageResponse.NotFoundAsync(context);
        if (ModelCard.Of(artifact) is not { } card) return PageResponse.NotFoundAsync(context);
        return PageResponse.SendAsync(context, new PageFrame(
            $"model card of {details.Run.Name}", ServicePaths.Models, Html.Of($"Model card of {details.Run.Name}"), Html.Of($"""
            {PageWords.Links(PageWords.Link(ServicePaths.Artefact(model.Key, model.Version), "download the model"),
                PageWords.Link(ServicePaths.Of(details.Run.Name, "lineage"), "lineage"))}
            <section><pre class="card">{card}</pre></section>
            """))
        {
            Eyebrow = Html.Of($"<p class=\"eyebrow\"><a href=\"{ServicePaths.Run(details.Run.Name)}\">run {details.Run.Name}</a></p>"),
        }, view.Now);
    }

    private Task ShowLineage(HttpContext context, bool isJson)
    {
        if (view.Run(NameOf(context)) is not { } run) return PageResponse.NotFoundAsync(context);
        try
        {
            var catalogue = ArtifactCatalogue.Of(view.RunsFolder, [run.Name], view.Clock);
            var lineage = Lineage.Of(catalogue, LineageRoots.Find(catalogue, Path.Combine(view.RunsFolder, run.Name)),
                new ExternalModels(view.RunsFolder, catalogue.Store.Digests, run.Name));
            return isJson ? PageResponse.JsonAsync(context, new { lineage.Roots, nodes = lineage.Nodes.Values, lineage.Notes })
                : PageResponse.SendAsync(context, LineagePage.Of(run, lineage, digest => AddressOf(catalogue, digest)), view.Now);
        }
        catch (Exception refused) when (refused is RunRefusedException or InvalidDataException)
        {
            return PageResponse.EndAsync(context, 404, view.Scrubbed(refused.Message));
        }
    }

    private static string? AddressOf(ArtifactCatalogue catalogue, string digest) =>
        catalogue.Find(digest) is { Entry: { Key: { } key, Version: var version } } ? ServicePaths.Artefact(key, version) : null;

    private Task Compare(HttpContext context, bool isJson)
    {
        string? before = Word(context, "a"), after = Word(context, "b"), refusal = null;
        RunDifference? difference = null;
        if (before is not null && after is not null)
        {
            if (view.FolderOf(before) is null || view.FolderOf(after) is null)
                refusal = $"There is no run '{(view.FolderOf(before) is null ? before : after)}'.";
            else
                (difference, refusal) = Difference(before, after);
        }

        if (!isJson) return PageResponse.SendAsync(context, ComparePage.Of(view, before, after, difference, refusal), view.Now);
        return difference is not null ? PageResponse.JsonAsync(context, difference)
            : PageResponse.EndAsync(context, refusal is null ? 400 : 404, refusal ?? "Name two runs: /api/compare?a=FIRST&b=SECOND.");
    }

    private (RunDifference? Difference, string? Refusal) Difference(string before, string after)
    {
        try
        {
            var found = RunDifference.Of((view.RunsFolder, before), (view.RunsFolder, after), view.Clock);
            var stages = found.Stages.Select(stage => stage with { Reason = view.Scrubbed(stage.Reason) });
            return (found with { Recipe = [.. found.Recipe.Select(Scrubbed)], Stages = [.. stages] }, null);
        }
        catch (Exception refused) when (refused is RunRefusedException or InvalidDataException or InvalidRecipeException)
        {
            return (null, view.Scrubbed(refused.Message));
        }
    }

    private ValueDifference Scrubbed(ValueDifference value) => value with
    {
        Before = value.Before is null ? null : view.Scrubbed(value.Before), After = value.After is null ? null : view.Scrubbed(value.After),
    };

    private string MetricsOf(string run) => new RunFolder(view.RunsFolder, run).MetricsPath;

    private static string NameOf(HttpContext context) => context.GetRouteValue("name") as string ?? "";

    private static RunFilter Filter(HttpContext context) => new(Word(context, "q"), Word(context, "state"));

    public static string? Word(HttpContext context, string name) =>
        context.Request.Query[name].ToString() is { Length: > 0 and <= 200 } word ? word : null;

    public static int Number(HttpContext context, string name, int otherwise = 1) =>
        int.TryParse(context.Request.Query[name], System.Globalization.NumberStyles.None, null, out int number) ? number : otherwise;
}

/// <summary>The card of a model folder, as it is written.</summary>
internal static class ModelCard
{
    private const string FileName = "README.md";

    private const long Largest = 1 << 20;

    /// <summary>Null where the model has none.</summary>
    public static string? Of(Artifact model)
    {
        var card = model.Manifest.Files.FirstOrDefault(file => file.Path.EndsWith(FileName, StringComparison.Ordinal));
        if (card is not { Bytes: <= Largest }) return null;
        try
        {
            return File.ReadAllText(ContainedPath.Resolve(model.Folder, card.Path, "the artefact's manifest"));
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
