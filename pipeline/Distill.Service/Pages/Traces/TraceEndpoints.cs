using Distill.Data.Publishing;
using Distill.Pipeline.Runs;
using Distill.Service.Pages.Runs;
using Distill.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Distill.Service.Pages.Traces;

/// <summary>Traces of a run: the list, one whole, and both as JSON.</summary>
internal sealed class TraceEndpoints(ServiceView view, RunReader runs, TraceReader traces)
{
    private readonly TeacherTokens tokens = new();

    public void Map(WebApplication application)
    {
        application.MapGet("/runs/{name}/traces", context => ShowAsync(context, isJson: false));
        application.MapGet("/api/runs/{name}/traces", context => ShowAsync(context, isJson: true));
    }

    private async Task ShowAsync(HttpContext context, bool isJson)
    {
        string name = context.GetRouteValue("name") as string ?? "";
        var filter = TraceFilter.Of(context.Request.Query);
        if (view.FolderOf(name) is not { } folder || TracesOf(folder) is not { } artifact)
        {
            await PageResponse.NotFoundAsync(context);
            return;
        }

        try
        {
            if (filter.At is null) await ShowListAsync(context, name, artifact, filter, isJson);
            else await ShowOneAsync(context, folder, artifact, filter, isJson);
        }
        catch (QueryRefusedException refused)
        {
            await PageResponse.EndAsync(context, 400, view.Scrubbed(refused.Message));
        }
        catch (InvalidDataException damaged)
        {
            await PageResponse.EndAsync(context, 404, view.Scrubbed(damaged.Message));
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await PageResponse.EndAsync(context, 503, "That took too long. Ask for less, or use 'distill traces query'.");
        }
    }

    private async Task ShowListAsync(HttpContext context, string run, Artifact artifact, TraceFilter filter, bool isJson)
    {
        var list = await traces.ListAsync(artifact, filter, context.RequestAborted);
        if (isJson)
        {
            await PageResponse.JsonAsync(
                context, new { list.Matching, all = list.Facets.Rows, list.Facets.Words, filter.Page, traces = list.Rows });
        }
        else await PageResponse.SendAsync(context, TracesPage.Of(run, filter, list), view.Now);
    }

    private async Task ShowOneAsync(HttpContext context, RunFolder folder, Artifact artifact, TraceFilter filter, bool isJson)
    {
        var (_, matching, found) = await traces.FindAsync(artifact, filter, context.RequestAborted);
        if (found is not { } row) await PageResponse.NotFoundAsync(context);
        else if (isJson) await PageResponse.JsonAsync(context, new { matching, filter.At, trace = row });
        else
        {
            var pieces = tokens.Of(folder, TracesPage.Text(row, "tokenizer_fingerprint"));
            await PageResponse.SendAsync(context, OneTracePage.Of(folder.Name, filter, matching, row, pieces), view.Now);
        }
    }

    private Artifact? TracesOf(RunFolder folder) =>
        RunDetails.TracesAmong(runs.Linked(folder)) is { } linked ? runs.Open(linked.Key, linked.Version) : null;
}
