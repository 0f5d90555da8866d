using Distill.Generation;
using Distill.Serving.Endpoints;
using Distill.Serving.Protocol;
using Microsoft.AspNetCore.Http;

namespace Distill.Serving.Http;

/// <summary>Every request: who asks, what for, and what a failure looks like. Thread-safe.</summary>
internal sealed class RequestHandler
{
    private const int ClientClosedRequest = 499;
    private readonly AnsweringModel model;
    private readonly ModelServerOptions options;
    private readonly TimeProvider clock;
    private readonly AccessRules access;
    private readonly RequestGate gate;
    private readonly ChatEndpoint chat;
    private readonly CompletionEndpoint completions;
    private volatile bool failing;

    public RequestHandler(AnsweringModel model, ModelServerOptions options, TimeProvider clock)
    {
        (this.model, this.options, this.clock) = (model, options, clock);
        access = new AccessRules(options.Address, options.ApiKey);
        gate = new RequestGate(options.MostRequests);
        (chat, completions) = (new ChatEndpoint(model), new CompletionEndpoint(model));
    }

    public async Task HandleAsync(HttpContext context)
    {
        long start = clock.GetTimestamp();
        var exchange = new Exchange(context);
        int status = await AnsweredAsync(context, exchange);
        options.Served?.Invoke(new ServedRequest(
            context.Request.Method, context.Request.Path, status, exchange.PromptTokens, exchange.CompletionTokens,
            clock.GetElapsedTime(start)));
    }

    /// <returns>The status that the client was told, or would have been.</returns>
    private async Task<int> AnsweredAsync(HttpContext context, Exchange exchange)
    {
        try
        {
            access.RequireHost(context.Request);
            await RouteAsync(context, exchange);
            return context.Response.StatusCode;
        }
        catch (OperationCanceledException) when (exchange.Aborted.IsCancellationRequested)
        {
            return ClientClosedRequest;
        }
        catch (Exception fault) // whatever it is, the client must be told, and the health: nobody else sees this request
        {
            return await FailAsync(context, exchange, ErrorOf(fault));
        }
    }

    private async Task RouteAsync(HttpContext context, Exchange exchange)
    {
        string path = context.Request.Path.Value!.TrimEnd('/');
        if (path == "/health")
        {
            RequireMethod(context, "GET");
            await HealthAsync(exchange);
            return;
        }

        access.RequireKey(context.Request);
        if (path is "/v1/models" || path == $"/v1/models/{model.Name}")
        {
            RequireMethod(context, "GET");
            await (path == "/v1/models" ? exchange.WriteAsync(new ModelList([model.Entry])) : exchange.WriteAsync(model.Entry));
            return;
        }

        if (path is not ("/v1/chat/completions" or "/v1/completions"))
            throw new ApiException(
                404, "invalid_request_error",
                $"There is nothing at '{context.Request.Path}'; this server has /v1/chat/completions, /v1/completions, /v1/models and "
                    + "/health.");
        RequireMethod(context, "POST");
        using var place = gate.Enter();
        await (path == "/v1/completions" ? completions.AnswerAsync(exchange) : chat.AnswerAsync(exchange));
        failing = false;
    }

    private Task HealthAsync(Exchange exchange)
    {
        var (waiting, running) = model.Engine.Load;
        return exchange.WriteAsync(
            new HealthBody(failing ? "failing" : "ok", model.Name, gate.Inside, gate.Most, waiting, running), failing ? 503 : 200);
    }

    private static void RequireMethod(HttpContext context, string method)
    {
        if (context.Request.Method == method) return;
        context.Response.Headers.Allow = method;
        throw new ApiException(405, "invalid_request_error", $"Use {method} here.");
    }

    private ApiException ErrorOf(Exception fault)
    {
        switch (fault)
        {
            case ApiException error: return error;
            case EngineBusyException: return ApiException.Busy();
            case BadHttpRequestException bad: return new ApiException(bad.StatusCode, "invalid_request_error", bad.Message);
            case ObjectDisposedException: return new ApiException(503, "server_error", "The server is shutting down.");
            default:
                failing = true;
                options.Failed?.Invoke(fault);
                return new ApiException(
                    500, "server_error", "The model failed: " + (fault is InvalidDataException ? fault.Message : fault.GetType().Name));
        }
    }

    private static async Task<int> FailAsync(HttpContext context, Exchange exchange, ApiException error)
    {
        try
        {
            if (exchange.IsStreaming) await exchange.SendAsync(error.ToBody());
            else if (context.Response.HasStarted) context.Abort();
            else
            {
                if (error.Status == 429) context.Response.Headers.RetryAfter = "1";
                if (error.Status == 401) context.Response.Headers.WWWAuthenticate = "Bearer";
                await exchange.WriteAsync(error.ToBody(), error.Status);
            }

            return error.Status;
        }
        catch (OperationCanceledException)
        {
            return ClientClosedRequest;
        }
    }
}
