using Distill.Cli.Output;
using Distill.Serving;

namespace Distill.Cli.Serving;

/// <summary>
/// What a server says: where it answers on standard output, a line per request on standard error, nothing of what was asked. Thread-safe.
/// </summary>
internal sealed class RequestLog(CommandContext context, bool quiet)
{
    private readonly Lock gate = new();
    private int requests, failures;

    public void Started(Uri address, string kind, int maxLength, ModelServerOptions options)
    {
        if (context.IsJson)
            context.Results.Json(new { listening = address, model = options.ModelName, kind, maxLength, slots = options.PromptsAtOnce,
                options.MostRequests, needsKey = options.ApiKey is not null });
        context.Results.Line($"{options.ModelName} ({kind}) answers at {address}v1, up to {maxLength:N0} tokens, {options.PromptsAtOnce} at a time{(options.ApiKey is null ? "" : ", with a key")}. Ctrl-C stops it.");
        context.Streams.Out.Flush();
    }

    public void Served(ServedRequest request)
    {
        lock (gate)
        {
            requests++;
            if (quiet) return;
            string tokens = request.PromptTokens > 0 ? $", {request.PromptTokens:N0} + {request.CompletionTokens:N0} tokens" : "";
            context.Progress.Line(SafeText.Of($"{request.Method} {request.Path} {request.Status} {Readable.Duration(request.Elapsed)}{tokens}").ReplaceLineEndings(" "));
        }
    }

    public void Failed(Exception fault)
    {
        lock (gate)
        {
            failures++;
            context.Progress.Line($"error: {fault.GetType().Name}: {SafeText.Of(fault.Message)}");
        }
    }

    public void Stopped()
    {
        lock (gate)
        {
            if (context.IsJson) context.Results.Json(new { stopped = true, requests, failures });
            context.Results.Line($"Stopped after {requests:N0} requests, {failures:N0} of which failed.");
        }
    }
}
