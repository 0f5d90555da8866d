using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Batches;

/// <summary>
/// Anthropic's batch interface: one request holds all of them, one file all results. A batch has no name of its own, so one whose creation
/// was cut off is looked for by its time and size, and known for certain by its results.
/// </summary>
/// <remarks>https://docs.claude.com/en/api/creating-message-batches</remarks>
internal sealed class AnthropicBatches : IBatchService
{
    private const string Version = "2023-06-01";

    private const int PageSize = 100, MostPages = 100;

    private readonly EndpointOptions endpoint;
    private readonly Func<ulong, ChatOptions> options;
    private readonly BatchHttp http;
    private readonly ApiKey? key;

    /// <inheritdoc cref="OpenAIBatches(EndpointOptions, Func{ulong, ChatOptions}, ApiKey, CallOptions, TimeProvider)"/>
    public AnthropicBatches(EndpointOptions endpoint, Func<ulong, ChatOptions> options, ApiKey? key, CallOptions calls, TimeProvider clock)
    {
        (this.endpoint, this.options, this.key) = (endpoint, options, key);
        http = new BatchHttp(endpoint, calls, key, clock, request =>
        {
            request.Headers.TryAddWithoutValidation("anthropic-version", Version);
            key?.AddTo(request, "x-api-key");
        });
    }

    public int MostRequests => 100_000;

    public long MostBytes => 256_000_000;

    public bool FindsByName => false;

    public void Dispose() => http.Dispose();

    public byte[] Line(BatchRequest request)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("custom_id", request.Id);
            json.WriteStartObject("params");
            WriteParameters(json, request.Prompt.Messages, options(request.Seed));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    public async Task<string> CreateAsync(string name, IReadOnlyList<BatchRequest> requests, CancellationToken cancellation)
    {
        var content = new LinesContent(
            requests, Line, "application/json", "{\"requests\":["u8.ToArray(), ","u8.ToArray(), "]}"u8.ToArray());
        return Id(await http.PostAsync("/messages/batches", content, name, cancellation).ConfigureAwait(false));
    }

    public async Task<IReadOnlyList<BatchStatus>> FindAsync(
        string name, int count, DateTimeOffset since, CancellationToken cancellation)
    {
        var found = new List<BatchStatus>();
        string after = "";
        for (int page = 0; page < MostPages; page++)
        {
            var list = await http.GetAsync($"/messages/batches?limit={PageSize}{after}", cancellation).ConfigureAwait(false);
            List<BatchStatus> batches = [.. BatchJson.Items(list, "data").Select(Status)];
            found.AddRange(batches.Where(batch => batch.Created >= since && batch.Total == count));
            bool hasMore = BatchJson.Get(list, "has_more") is { ValueKind: JsonValueKind.True };
            if (!hasMore || batches.Count == 0 || batches[^1].Created < since) break;
            after = "&after_id=" + Uri.EscapeDataString(batches[^1].Id);
        }

        return found;
    }

    public async Task<BatchStatus> StatusAsync(string id, CancellationToken cancellation) =>
        Status(await http.GetAsync("/messages/batches/" + Uri.EscapeDataString(id), cancellation).ConfigureAwait(false));

    public async IAsyncEnumerable<BatchLine?> ResultsAsync(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (byte[] line in http.LinesAsync(path, cancellation).ConfigureAwait(false)) yield return Read(line);
    }

    // Newer models take only one of temperature and top_p, so the one that changes nothing is left out. There are no seeds.
    private void WriteParameters(Utf8JsonWriter json, IReadOnlyList<ChatMessage> messages, ChatOptions asked)
    {
        json.WriteString("model", endpoint.Model);
        json.WriteNumber("max_tokens", asked.MaxOutputTokens ?? 1024);
        if (asked.Temperature is { } temperature) json.WriteNumber("temperature", temperature);
        if (asked.TopP is { } topP and < 1) json.WriteNumber("top_p", topP);
        string system = string.Join("\n\n", messages.Where(message => message.Role == ChatRole.System).Select(message => message.Text));
        if (system.Length > 0) json.WriteString("system", system);
        json.WriteStartArray("messages");
        foreach (var message in messages.Where(message => message.Role != ChatRole.System))
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role.Value);
            json.WriteString("content", message.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // The address of the results is made of the id and never taken from the answer: the key goes there too.
    private static BatchStatus Status(JsonElement batch)
    {
        string id = Id(batch);
        var counts = BatchJson.Get(batch, "request_counts");
        int Of(string name) => BatchJson.Count(counts, name) ?? 0;
        int done = Of("succeeded") + Of("errored") + Of("canceled") + Of("expired");
        bool hasEnded = BatchJson.Text(batch, "processing_status") == "ended";
        bool isCancelled = BatchJson.Get(batch, "cancel_initiated_at") is not null;
        return new BatchStatus(
            id,
            !hasEnded ? BatchPhase.UnderWay
                : isCancelled ? BatchPhase.Cancelled
                : Of("expired") > 0 ? BatchPhase.Expired : BatchPhase.Completed,
            Created(batch), counts is null ? null : done + Of("processing"), done)
        {
            Results = hasEnded ? [$"/messages/batches/{Uri.EscapeDataString(id)}/results"] : [],
        };
    }

    private BatchLine? Read(byte[] line)
    {
        if (BatchJson.Parse(line) is not { } root || BatchJson.Get(root, "result") is not { } result) return null;
        string id = BatchJson.Text(root, "custom_id");
        switch (BatchJson.Text(result, "type"))
        {
            case "succeeded":
                return BatchJson.Get(result, "message") is { } message ? Completion(id, message) : null;
            case "errored":
                // {"type":"error","error":{"type":"invalid_request_error",...}}, and once the inner object alone
                var error = BatchJson.Get(result, "error") is { } said
                    ? EndpointError.Find(said) ?? EndpointError.Find(result) ?? new EndpointError("", "")
                    : new EndpointError("", "");
                return BatchJson.Failed(id, http.Host, StatusOf(error.Code), error, key);
            case var other:
                return BatchJson.Failed(id, http.Host, 0, new EndpointError(other, $"the request is {other}"), key);
        }
    }

    private static int StatusOf(string code) => code switch
    {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "overloaded_error" => 529,
        _ => 500,
    };

    private BatchLine Completion(string id, JsonElement message)
    {
        List<JsonElement> parts = [.. BatchJson.Items(message, "content")];
        string Of(string type) => Clean(string.Concat(
            parts.Where(part => BatchJson.Text(part, "type") == type).Select(part => BatchJson.Text(part, type))));
        string text = Of("text"), reasoning = Of("thinking");
        var usage = BatchJson.Get(message, "usage");
        var tool = parts.FirstOrDefault(part => BatchJson.Text(part, "type") == "tool_use");
        int prompt = (BatchJson.Count(usage, "input_tokens") ?? 0) + (BatchJson.Count(usage, "cache_read_input_tokens") ?? 0)
            + (BatchJson.Count(usage, "cache_creation_input_tokens") ?? 0);
        var completion = new StoredCompletion(
            reasoning, text, BatchJson.Text(message, "stop_reason"), prompt,
            BatchJson.Count(usage, "output_tokens") ?? (reasoning.Length + text.Length + 3) / 4,
            ToolCall: tool.ValueKind == JsonValueKind.Object
                ? Clean($"{BatchJson.Text(tool, "name")}({BatchJson.Get(tool, "input")?.GetRawText()})")
                : null);
        return new BatchLine(id, completion, null) { IsCounted = BatchJson.Count(usage, "output_tokens") is not null };
    }

    private string Clean(string text) => key?.Redact(text) ?? text;

    private static string Id(JsonElement owner) => BatchJson.Text(owner, "id") is { Length: > 0 and <= 512 } id
        ? id
        : throw new RemoteTeacherException(RemoteFaultKind.Damaged, "The batch interface gave no id.");

    private static DateTimeOffset Created(JsonElement batch) =>
        DateTimeOffset.TryParse(
            BatchJson.Text(batch, "created_at"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : DateTimeOffset.MaxValue;
}
