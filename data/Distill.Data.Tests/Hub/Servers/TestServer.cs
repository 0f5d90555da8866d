using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Distill.Data.Tests.Hub.Servers;

/// <summary>A request as it arrived.</summary>
internal sealed record TestCall(string Method, string Path, string Authorization, string Range)
{
    public override string ToString() => $"{Method} {Path}";
}

/// <summary>A real HTTP server on a free port of this machine that notes every request.</summary>
internal abstract class TestServer : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ConcurrentQueue<TestCall> calls = new();

    protected TestServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseKestrelCore();
        application = builder.Build();
        application.Run(HandleAsync);
    }

    /// <summary>In the order they arrived.</summary>
    public IReadOnlyList<TestCall> Calls => [.. calls];

    /// <summary>Sees each request first, with its number from 0; true when it has answered.</summary>
    public Func<HttpContext, int, Task<bool>> First { get; set; } = (_, _) => Task.FromResult(false);

    public string Address => application.Urls.Single();

    public void Forget() => calls.Clear();

    public async ValueTask DisposeAsync()
    {
        // A handler that hangs on purpose ends with its connection: there is nothing to wait for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await application.StopAsync(now.Token);
        await application.DisposeAsync();
    }

    protected Task StartAsync() => application.StartAsync();

    protected abstract Task AnswerAsync(HttpContext context, string path);

    /// <summary>A file, or the rest of it from where a range begins.</summary>
    internal static async Task ContentAsync(HttpContext context, byte[] content, int? cutAfter = null)
    {
        int from = 0;
        if (context.Request.Headers.Range.ToString() is ['b', ..] range)
        {
            from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            if (from >= content.Length)
            {
                context.Response.StatusCode = 416;
                return;
            }

            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength = content.Length - from;
        int end = cutAfter is { } most ? Math.Min(content.Length, from + most) : content.Length;
        await context.Response.Body.WriteAsync(content.AsMemory(from, end - from));
        await context.Response.Body.FlushAsync();
        if (end < content.Length) context.Abort();
    }

    internal static Task StatusAsync(HttpContext context, int status, string code = "", string message = "", string retryAfter = "")
    {
        context.Response.StatusCode = status;
        if (code.Length > 0) context.Response.Headers["X-Error-Code"] = code;
        if (message.Length > 0) context.Response.Headers["X-Error-Message"] = message;
        if (retryAfter.Length > 0) context.Response.Headers.RetryAfter = retryAfter;
        return context.Response.WriteAsync($$"""{"error":"{{message}}"}""");
    }

    private async Task HandleAsync(HttpContext context)
    {
        // As it was sent: an escaped slash in a revision is part of it.
        string target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        int number = calls.Count;
        var headers = context.Request.Headers;
        calls.Enqueue(new TestCall(context.Request.Method, target, headers.Authorization.ToString(), headers.Range.ToString()));
        if (!await First(context, number)) await AnswerAsync(context, target.Split('?')[0]);
    }
}
