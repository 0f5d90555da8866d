using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;
using Distill.Service.Fleet;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Pages.Fleet;
using Distill.Service.Pages.Models;
using Distill.Service.Pages.Runs;
using Distill.Service.Pages.Schedules;
using Distill.Service.Pages.Store;
using Distill.Service.Pages.Traces;
using Distill.Service.Schedules;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Distill.Service.Pages;

/// <summary>What can be asked of the service. Files come from inside the folder of runs only; what changes something needs a form of
/// ours.</summary>
internal sealed class ServiceEndpoints(ServiceView view, OccurrenceStore store, ScheduleBook book, TimeProvider clock)
{
    private static readonly byte[] Style = [.. Resource(typeof(Html), "report.css"), .. Resource(typeof(ServiceEndpoints), "service.css")];

    private static readonly byte[] Script = Resource(typeof(ServiceEndpoints), "service.js");

    public void Map(WebApplication application)
    {
        application.Use(next => context => AnswerFaultsAsync(context, next));
        application.UseRouting();
        application.MapGet(ServicePaths.SignIn, SignIn);
        application.MapGet(ServicePaths.Style, context => PageResponse.SendAsync(context, "text/css; charset=utf-8", Style));
        application.MapGet(ServicePaths.Script, context => PageResponse.SendAsync(context, "text/javascript; charset=utf-8", Script));
        MapSchedules(application);
        var reader = new RunReader(view);
        new RunEndpoints(view, reader).Map(application);
        var traces = new TraceReader(view);
        application.Lifetime.ApplicationStopped.Register(traces.Dispose);
        new TraceEndpoints(view, reader, traces).Map(application);
        new StoreEndpoints(view, new StoreView(view), reader).Map(application);
        MapModels(application, new ModelsView(view, reader, book));
        application.MapGet("/fleet", context => PageResponse.SendAsync(
            context, FleetPage.Of(FleetStatus.Read(view.RunsFolder, clock), view.Now, view.Scrubbed), view.Now));
        application.MapGet("/api/fleet", context => PageResponse.JsonAsync(context, FleetStatus.Read(view.RunsFolder, clock)));
    }

    private void MapSchedules(WebApplication application)
    {
        application.MapGet("/", context => PageResponse.SendAsync(context, OverviewPage.Of(view, ProofFor(context)), view.Now));
        application.MapGet("/api/overview", context => PageResponse.JsonAsync(context, new
        {
            now = view.Now, health = view.Health, reasons = view.Troubles, schedules = view.Schedules().Select(Spelled),
            atWork = view.Runs(new(State: RunWord.Running), 1, RunsPage.PerPage).Items, runs = view.Runs(new(), 1, RunsPage.PerPage).Items,
        }));
        application.MapGet("/api/schedules", context => PageResponse.JsonAsync(context, view.Schedules().Select(Spelled)));
        application.MapGet("/schedules/{name}", ShowSchedule);
        application.MapGet("/api/schedules/{name}", context => Find(context) is { } status
            ? PageResponse.JsonAsync(context, new
                { schedule = Spelled(status), nextTimes = SchedulePage.Next(status), occurrences = status.All.Select(Scrubbed) })
            : PageResponse.NotFoundAsync(context));
        application.MapGet("/schedules/{name}/{occurrence}/log", ShowLog);
        application.MapPost("/schedules/{name}/run", context => ActAsync(context, schedule => Asked.Make(store, schedule, clock)));
        application.MapPost("/schedules/{name}/pause", context => ActAsync(context, schedule => store.SetPaused(schedule.Name, true)));
        application.MapPost("/schedules/{name}/resume", context => ActAsync(context, schedule => store.SetPaused(schedule.Name, false)));
    }

    private void MapModels(WebApplication application, ModelsView models)
    {
        application.MapGet("/models", context =>
        {
            var places = models.Places();
            var page = ModelsPage.Of(places, models.Exported(RunEndpoints.Number(context, "page"), places));
            return PageResponse.SendAsync(context, page, view.Now);
        });
        application.MapGet("/api/models", context =>
        {
            var places = models.Places();
            return PageResponse.JsonAsync(context, new
            {
                places = places.Select(place => new
                {
                    place.Place, place.Schedules, place.Fault, version = place.Version?.Number, place.Version?.Run, place.Version?.Promoted,
                }),
                models = models.Exported(RunEndpoints.Number(context, "page"), places),
            });
        });
    }

    // Runs come and go while they are looked at: a file that is gone, or cannot be read just now, is no fault of the service.
    private async Task AnswerFaultsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException
            && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            await PageResponse.EndAsync(context, 503, "Something could not be read: " + view.Scrubbed(fault.Message));
        }
    }

    private Task ShowSchedule(HttpContext context) => Find(context) is { } status
        ? PageResponse.SendAsync(context, SchedulePage.Of(view, status, ProofFor(context), RunEndpoints.Number(context, "page")), view.Now)
        : PageResponse.NotFoundAsync(context);

    private ScheduleStatus? Find(HttpContext context) => view.Schedule(Value(context, "name"));

    private static object Spelled(ScheduleStatus status) => new
    {
        status.Schedule.Name, status.State, status.Next, recipe = Path.GetFileName(status.Schedule.Recipe), status.Schedule.Cron,
        status.Schedule.TimeZone, status.Last,
    };

    private Occurrence Scrubbed(Occurrence one) => one with
    {
        Reason = one.Reason is { } reason ? view.Scrubbed(reason) : null,
        Attempts = [.. one.Attempts.Select(attempt => attempt with
            { Message = attempt.Message is { } message ? view.Scrubbed(message) : null })],
    };

    private static FormProof? ProofFor(HttpContext context)
    {
        if (!ServiceAccess.MayAct(context)) return null;
        var tokens = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        return new(tokens.FormFieldName, tokens.RequestToken!);
    }

    // A browser sends a key only after it was asked for one.
    private static Task SignIn(HttpContext context)
    {
        if (!ServiceAccess.MayAct(context)) return ServiceAccess.AskForKeyAsync(context);
        context.Response.Redirect("/");
        return Task.CompletedTask;
    }

    private Task ShowLog(HttpContext context)
    {
        string name = Value(context, "name"), occurrence = Value(context, "occurrence");
        return RunName.IsValid(name) && Occurrence.TryParseName(occurrence, out _)
            ? PageResponse.ShowFileAsync(context, store.Root, $"{name}/{occurrence}.log", "text/plain; charset=utf-8")
            : PageResponse.NotFoundAsync(context);
    }

    private async Task ActAsync(HttpContext context, Action<ScheduleSection> act)
    {
        if (!ServiceAccess.MayAct(context))
        {
            await PageResponse.EndAsync(context, 403, "Your key is one to look, not to act.");
            return;
        }

        try
        {
            await context.RequestServices.GetRequiredService<IAntiforgery>().ValidateRequestAsync(context);
        }
        catch (AntiforgeryValidationException)
        {
            await PageResponse.EndAsync(context, 400, "This form is not one of the page as it is now. Open the page again.");
            return;
        }

        if (book.Find(Value(context, "name")) is not { } schedule)
        {
            await PageResponse.NotFoundAsync(context);
            return;
        }

        act(schedule);
        context.Response.Redirect("/");
        context.Response.StatusCode = 303;
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
