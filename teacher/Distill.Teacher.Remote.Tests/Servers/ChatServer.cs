using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Distill.Teacher.Remote.Tests.Servers;

/// <summary>A real HTTP server on a free port of this machine. It notes every request and answers as the test says.</summary>
internal sealed class ChatServer : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ConcurrentQueue<ChatCall> calls = new();

    private ChatServer(WebApplication application) => this.application = application;

    /// <summary>In the order they arrived.</summary>
    public IReadOnlyList<ChatCall> Calls => [.. calls];

    /// <summary>What to give as the endpoint's address.</summary>
    public string Address => application.Urls.Single() + "/v1";

    /// <param name="answer">Request and its number, from 0 → the answer.</param>
    public static Task<ChatServer> StartAsync(Func<HttpContext, int, Task> answer) =>
        StartAsync((context, number, _) => answer(context, number));

    /// <param name="answer">Request, its number, what it says → the answer.</param>
    public static async Task<ChatServer> StartAsync(Func<HttpContext, int, ChatCall, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseKestrelCore();
        var server = new ChatServer(builder.Build());
        int count = -1;
        server.application.Run(async context =>
        {
            int number = Interlocked.Increment(ref count);
            using var reader = new StreamReader(context.Request.Body);
            string body = await reader.ReadToEndAsync(context.RequestAborted);
            var call = new ChatCall(
                context.Request.Method + " " + context.Request.Path, context.Request.Headers.Authorization.ToString(),
                body.Length == 0 ? [] : JsonNode.Parse(body)!.AsObject());
            server.calls.Enqueue(call);
            await answer(context, number, call);
        });
        await server.application.StartAsync();
        return server;
    }

    /// <summary>The same answer to everyone.</summary>
    public static Task<ChatServer> StartAsync(Func<HttpContext, Task> answer) => StartAsync((context, _) => answer(context));

    /// <summary>These answers in turn; the last one from then on.</summary>
    public static Task<ChatServer> StartAsync(params Func<HttpContext, Task>[] answers) =>
        StartAsync((context, number) => answers[Math.Min(number, answers.Length - 1)](context));

    public async ValueTask DisposeAsync()
    {
        // A handler that hangs on purpose ends with its connection: there is nothing to wait for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await application.StopAsync(now.Token);
        await application.DisposeAsync();
    }
}

internal sealed record ChatCall(string Target, string Authorization, JsonObject Body)
{
    public string Prompt => Body["messages"]![0]!["content"]!.GetValue<string>();
}
