using System.Text;
using Distill.Pipeline.Reporting.Page;
using Distill.Service.Hosting.Access;
using Distill.Service.Pages;
using Distill.Service.Watching;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Distill.Service.Hosting;

/// <summary>What programs ask of the service, and the end of a session: health for probes, metrics for Prometheus.</summary>
internal sealed class WatchEndpoints(ServiceHealth health, ServiceMetrics metrics, bool signsIn)
{
    public void Map(WebApplication application)
    {
        application.MapGet("/health/live", ShowLive);
        application.MapGet("/health/ready", context => ShowHealth(context, isProbe: true));
        application.MapGet("/health", context => ShowHealth(context, isProbe: false));
        application.MapGet(ServicePaths.Metrics, ShowMetrics);
        if (!signsIn) return;
        application.MapGet(ServicePaths.SignOut, ShowSignOut);
        application.MapPost(ServicePaths.SignOut, SignOutAsync);
    }

    private Task ShowLive(HttpContext context)
    {
        if (!health.IsLive) context.Response.StatusCode = 503;
        return SendAsync(context, "text/plain; charset=utf-8", health.IsLive ? "live\n" : "not live\n");
    }

    private async Task ShowHealth(HttpContext context, bool isProbe)
    {
        var reasons = health.Reasons();
        string status = !health.IsReady ? "not ready" : reasons.Count > 0 ? "degraded" : "ready";
        if (isProbe && !health.IsReady) context.Response.StatusCode = 503;
        var shown = ServiceAccess.MayLook(context) ? reasons : null;
        await PageResponse.JsonAsync(context, new { status, reasons = shown });
    }

    private Task ShowMetrics(HttpContext context) =>
        SendAsync(context, PrometheusText.ContentType, PrometheusText.Write(metrics.Collect()));

    private static Task ShowSignOut(HttpContext context)
    {
        var form = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        var page = Html.Of($"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>Distill: sign out</title>
            <link rel="stylesheet" href="{ServicePaths.Style}"></head><body><main><h1>Sign out</h1>
            <form method="post" action="{ServicePaths.SignOut}">
            <input type="hidden" name="{form.FormFieldName}" value="{form.RequestToken!}">
            <p>{context.User.Identity?.Name ?? ""}</p><button>sign out</button> <a href="/">stay</a></form></main></body></html>
            """);
        return SendAsync(context, "text/html; charset=utf-8", page.ToString());
    }

    private static async Task SignOutAsync(HttpContext context)
    {
        try
        {
            await context.RequestServices.GetRequiredService<IAntiforgery>().ValidateRequestAsync(context);
        }
        catch (AntiforgeryValidationException)
        {
            await ServiceAccess.RefuseAsync(context, 400, "This form is not one of the page as it is now. Open the page again.");
            return;
        }

        await SignIn.EndAsync(context);
        await SendAsync(context, "text/plain; charset=utf-8", "Signed out here. The provider may still know you.\n");
    }

    private static Task SendAsync(HttpContext context, string type, string text)
    {
        context.Response.ContentType = type;
        return context.Response.WriteAsync(text, Encoding.UTF8, context.RequestAborted);
    }
}
