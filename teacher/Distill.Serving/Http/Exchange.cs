using System.Text;
using System.Text.Json;
using Distill.Serving.Protocol;
using Microsoft.AspNetCore.Http;

namespace Distill.Serving.Http;

/// <summary>One request and its answer: a JSON body, or server-sent events. One thread at a time.</summary>
internal sealed class Exchange(HttpContext context)
{
    /// <summary>How every JSON of a caller is read.</summary>
    public static readonly JsonDocumentOptions Reading = new() { MaxDepth = 64 };
    private static readonly byte[] s_done = "data: [DONE]\n\n"u8.ToArray();

    /// <summary>Cancelled when the client goes away.</summary>
    public CancellationToken Aborted => context.RequestAborted;

    public bool IsStreaming { get; private set; }

    /// <summary>How an error is told within a stream; unless a stream says otherwise, as the body of an answer.</summary>
    public Func<ApiException, (string? Event, object Body)> ErrorEvent { get; set; } = error => (null, error.ToBody());

    public int PromptTokens { get; private set; }

    public int CompletionTokens { get; private set; }

    /// <exception cref="ApiException">Not JSON, with a name twice, or with a text that is not Unicode.</exception>
    /// <exception cref="BadHttpRequestException">Too large.</exception>
    public async Task<JsonElement> ReadBodyAsync()
    {
        AccessRules.RequireJson(context.Request);
        try
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body, Reading, Aborted);
            BodyText.Require(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw ApiException.Invalid(null, $"The body is not JSON: {e.Message}");
        }
    }

    public async Task WriteAsync<T>(T body, int status = 200)
    {
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(body, ApiJson.Options);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, Aborted);
    }

    /// <summary>One event of a stream, sent at once.</summary>
    /// <param name="name">Of the event; null for none.</param>
    public async Task SendAsync<T>(T piece, string? name = null)
    {
        if (!IsStreaming)
        {
            IsStreaming = true;
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            context.Response.Headers.CacheControl = "no-cache";
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(piece, ApiJson.Options);
        byte[] line = name is null ? [] : Encoding.UTF8.GetBytes($"event: {name}\n");
        byte[] bytes = [.. line, .. "data: "u8, .. json, (byte)'\n', (byte)'\n'];
        await context.Response.Body.WriteAsync(bytes, Aborted);
        await context.Response.Body.FlushAsync(Aborted);
    }

    /// <summary>The end of a stream.</summary>
    public async Task SendDoneAsync() => await context.Response.Body.WriteAsync(s_done, Aborted);

    /// <summary>For the log.</summary>
    public void Count(Usage usage) => (PromptTokens, CompletionTokens) = (usage.PromptTokens, usage.CompletionTokens);
}
