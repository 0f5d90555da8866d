using System.Text;
using Distill.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Distill.Service.Pages;

/// <summary>How the service answers: pages under their policy, JSON, files that a browser saves and never runs.</summary>
internal static class PageResponse
{
    // Our own script and style, and the page itself asked for again; nothing inline, nothing from elsewhere.
    public const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static Task SendAsync(HttpContext context, PageFrame page, DateTimeOffset now)
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        return SendAsync(context, "text/html; charset=utf-8", 
            Encoding.UTF8.GetBytes(Scrubbed(context).Page(page.Render(Visitor.Of(context), now))));
    }

    public static async Task SendAsync(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static Task JsonAsync<T>(HttpContext context, T value) =>
        context.Response.WriteAsJsonAsync(value, Scrubbed(context).Json, context.RequestAborted);

    /// <summary>A text below a folder, to be shown without secrets. What leaves the folder, over links too, is not there.</summary>
    public static async Task ShowFileAsync(HttpContext context, string folder, string path, string type)
    {
        context.Response.ContentType = type;
        await using var file = Open(folder, path);
        if (file is null) await NotFoundAsync(context);
        else await Scrubbed(context).CopyAsync(file, context.Response.Body, context.RequestAborted);
    }

    /// <summary>A file below a folder, to be saved as it is: a browser neither shows nor runs it, whatever it holds.</summary>
    public static async Task SaveFileAsync(HttpContext context, string folder, string path)
    {
        context.Response.ContentType = "application/octet-stream";
        string name = new(path[(path.LastIndexOf('/') + 1)..].Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')
            .ToArray());
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        await using var file = Open(folder, path);
        if (file is null) await NotFoundAsync(context);
        else await file.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    public static Task NotFoundAsync(HttpContext context) => EndAsync(context, 404, "There is nothing here.");

    public static async Task EndAsync(HttpContext context, int status, string message)
    {
        context.Response.Headers.Remove("Content-Disposition");
        context.Response.StatusCode = status;
        if (context.Request.Path.StartsWithSegments("/api"))
        {
            await JsonAsync(context, new { error = new { message } });
            return;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(Scrubbed(context).Text(message) + "\n", context.RequestAborted);
    }

    private static ScrubbedAnswers Scrubbed(HttpContext context) => context.RequestServices.GetRequiredService<ScrubbedAnswers>();

    private static FileStream? Open(string folder, string path)
    {
        try
        {
            string file = ContainedPath.Resolve(folder, path, "request");
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        }
        catch (Exception fault) when (fault is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
