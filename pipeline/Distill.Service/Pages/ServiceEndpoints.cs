using System.Text;
using Distill.Data.Storage;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Distill.Service.Pages;

/// <summary>What can be asked of the service. Files come from inside the folder of runs only; what changes something needs a form of
/// ours.</summary>
internal sealed class ServiceEndpoints(ServiceView view, OccurrenceStore store, ScheduleBook book, ServiceHealth health, TimeProvider clock)
{
    // A report holds what models wrote: it may show itself and nothing else.
    private const string ReportPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'";

    private static readonly byte[] Style = [.. Resource(typeof(Html), "report.css"), .. Resource(typeof(ServiceEndpoints), "service.css")];

    public void Map(WebApplication application)
    {
        application.UseRouting();
        application.MapGet("/", ShowOverview);
        application.MapGet(ServicePaths.SignIn, SignIn);
        application.MapGet(ServicePaths.Style, context => SendAsync(context, "text/css; charset=utf-8", Style));
        application.MapGet("/health/live", context => SendAsync(context, "text/plain; charset=utf-8", "live\n"u8.ToArray()));
        application.MapGet("/health/ready", context => ShowHealth(context, isProbe: true));
        application.MapGet("/health", context => ShowHealth(context, isProbe: false));
        application.MapGet("/runs/{name}/report.html", ShowReport);
        application.MapGet("/schedules/{name}/{occurrence}/log", ShowLog);
        application.MapPost("/schedules/{name}/run", context => ActAsync(context, schedule => Asked.Make(store, schedule, clock)));
        application.MapPost("/schedules/{name}/pause", context => ActAsync(context, schedule => store.SetPaused(schedule.Name, true)));
        application.MapPost("/schedules/{name}/resume", context => ActAsync(context, schedule => store.SetPaused(schedule.Name, false)));
    }

    private Task ShowOverview(HttpContext context)
    {
        (string, string)? form = null;
        if (ServiceAccess.MayAct(context))
        {
            var tokens = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
            form = (tokens.FormFieldName, tokens.RequestToken!);
        }

        return SendAsync(context, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(OverviewPage.Render(view, form)));
    }

    // A browser sends a key only after it was asked for one.
    private static Task SignIn(HttpContext context)
    {
        if (!ServiceAccess.MayAct(context)) return ServiceAccess.AskForKeyAsync(context);
        context.Response.Redirect("/");
        return Task.CompletedTask;
    }

    private async Task ShowHealth(HttpContext context, bool isProbe)
    {
        var reasons = health.Reasons();
        string status = !health.IsReady ? "not ready" : reasons.Count > 0 ? "degraded" : "ready";
        if (isProbe && !health.IsReady) context.Response.StatusCode = 503;
        var shown = ServiceAccess.MayLook(context) ? reasons : null;
        await context.Response.WriteAsJsonAsync(new { status, reasons = shown }, CanonicalJson.Spelling, context.RequestAborted);
    }

    private Task ShowReport(HttpContext context)
    {
        string name = Value(context, "name");
        context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
        return RunName.IsValid(name) ? SendFileAsync(context, store.RunsFolder, $"{name}/report.html", "text/html; charset=utf-8")
            : NotFoundAsync(context);
    }

    private Task ShowLog(HttpContext context)
    {
        string name = Value(context, "name"), occurrence = Value(context, "occurrence");
        return RunName.IsValid(name) && Occurrence.TryParseName(occurrence, out _)
            ? SendFileAsync(context, store.Root, $"{name}/{occurrence}.log", "text/plain; charset=utf-8")
            : NotFoundAsync(context);
    }

    private async Task ActAsync(HttpContext context, Action<ScheduleSection> act)
    {
        if (!ServiceAccess.MayAct(context))
        {
            await EndAsync(context, 403, "Your key is one to look, not to act.");
            return;
        }

        try
        {
            await context.RequestServices.GetRequiredService<IAntiforgery>().ValidateRequestAsync(context);
        }
        catch (AntiforgeryValidationException)
        {
            await EndAsync(context, 400, "This form is not one of the page as it is now. Open the page again.");
            return;
        }

        if (book.Find(Value(context, "name")) is not { } schedule)
        {
            await NotFoundAsync(context);
            return;
        }

        act(schedule);
        context.Response.Redirect("/");
        context.Response.StatusCode = 303;
    }

    private static async Task SendFileAsync(HttpContext context, string folder, string path, string type)
    {
        string file;
        try
        {
            file = ContainedPath.Resolve(folder, path, "request");
        }
        catch (InvalidDataException)
        {
            await NotFoundAsync(context);
            return;
        }

        context.Response.ContentType = type;
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await stream.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static async Task SendAsync(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static Task NotFoundAsync(HttpContext context) => EndAsync(context, 404, "There is nothing here.");

    private static async Task EndAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }

    private static string Value(HttpContext context, string name) => context.GetRouteValue(name) as string ?? "";

    private static byte[] Resource(Type owner, string name)
    {
        using var stream = owner.Assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
