using Distill.Generation;
using Distill.Generation.Constraints;
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
    private readonly CrossOrigin crossOrigin;
    private readonly ChatEndpoint chat;
    private readonly ResponseEndpoint responses;
    private readonly CompletionEndpoint completions;
    private volatile bool failing;

    public RequestHandler(AnsweringModel model, ModelServerOptions options, TimeProvider clock)
    {
        (this.model, this.options, this.clock) = (model, options, clock);
        access = new AccessRules(options.Address, options.ApiKey);
        gate = new RequestGate(options.MostRequests);
        crossOrigin = new CrossOrigin(options.AllowedOrigins);
        (chat, completions, responses) = (new ChatEndpoint(model), new CompletionEndpoint(model), new ResponseEndpoint(model));
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
            crossOrigin.Allow(context);
            if (!crossOrigin.AnswersPreflight(context)) await RouteAsync(context, exchange);
            return context.Response.StatusCode;
        }
        catch (OperationCanceledException) when (exchange.Aborted.IsCancellationRequested)
        {
            return ClientClosedRequest;
        }
        catch (IOException) when (exchange.Aborted.IsCancellationRequested)
        {
            return ClientClosedRequest; // while its body was being read
        }
        catch (Exception fault) // whatever it is, the client must be told, and the health: nobody else sees this request
        {
            return await FailAsync(context, exchange, ErrorOf(fault));
        }
    }

    private async Task RouteAsync(HttpContext context, Exchange exchange)
    {
        string path = (context.Request.Path.Value ?? "").TrimEnd('/');
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

        Func<Exchange, Task>? endpoint = path switch
        {
            "/v1/chat/completions" => chat.AnswerAsync, "/v1/responses" => responses.AnswerAsync,
            "/v1/completions" => completions.AnswerAsync, _ => null,
        };
        if (endpoint is null) throw NothingAt(path);
        RequireMethod(context, "POST");
        using var place = gate.Enter();
        await endpoint(exchange);
        failing = false;
    }

    private static ApiException NothingAt(string path) => new(
        404, "invalid_request_error",
        $"There is nothing at '{path}'; this server has /v1/chat/completions, /v1/responses, /v1/completions, /v1/models and /health"
            + (path.StartsWith("/v1/responses/", StringComparison.Ordinal) ? ", and stores no responses." : "."));

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
        var cause = fault is ModelFaultException { InnerException: { } inner } ? inner : fault;
        switch (cause)
        {
            case ApiException error: return error;
            case EngineBusyException: return ApiException.Busy();
            case ConstraintFault: return ApiException.Invalid(null, fault.Message, "invalid_json_schema");
            case BadHttpRequestException bad: return new ApiException(bad.StatusCode, "invalid_request_error", bad.Message);
            case ObjectDisposedException: return new ApiException(503, "server_error", "The server is shutting down.");
            default:
                if (fault is ModelFaultException) failing = true; // of other faults the model knows nothing
                options.Failed?.Invoke(cause);
                return new ApiException(
                    500, "server_error", $"The {(fault is ModelFaultException ? "model" : "server")} failed: "
                        + (cause is InvalidDataException ? cause.Message : cause.GetType().Name));
        }
    }

    private static async Task<int> FailAsync(HttpContext context, Exchange exchange, ApiException error)
    {
        try
        {
            if (exchange.IsStreaming)
            {
                var (name, body) = exchange.ErrorEvent(error);
                await exchange.SendAsync(body, name);
            }
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
