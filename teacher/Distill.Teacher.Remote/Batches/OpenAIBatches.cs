using System.Globalization;
using System.Net.Mime;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Batches;

/// <summary>
/// OpenAI's batch interface, which others imitate: requests go up as a file of lines, a batch is made of it, answers and errors come as two
/// files. The batch carries a name, so it is found again for certain.
/// </summary>
/// <remarks>https://platform.openai.com/docs/guides/batch</remarks>
internal sealed class OpenAIBatches : IBatchService
{
    private const string Target = "/v1/chat/completions", NameKey = "distill_batch";

    private const int PageSize = 100, MostPages = 100;

    private readonly EndpointOptions endpoint;
    private readonly Func<ulong, ChatOptions> options;
    private readonly BatchHttp http;
    private readonly ApiKey? key;

    /// <param name="options">Seed of a sample → how it is asked.</param>
    public OpenAIBatches(EndpointOptions endpoint, Func<ulong, ChatOptions> options, ApiKey? key, CallOptions calls, TimeProvider clock)
    {
        (this.endpoint, this.options, this.key) = (endpoint with { Streams = false }, options, key);
        http = new BatchHttp(endpoint, calls, key, clock, request => request.Headers.Authorization = key?.Header);
    }

    public int MostRequests => 50_000;

    public long MostBytes => 200_000_000;

    public bool FindsByName => true;

    public void Dispose() => http.Dispose();

    public byte[] Line(BatchRequest request)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("custom_id", request.Id);
            json.WriteString("method", "POST");
            json.WriteString("url", Target);
            json.WritePropertyName("body");
            json.WriteRawValue(ChatRequestJson.Write(endpoint, request.Prompt.Messages, options(request.Seed)));
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    // A file that was sent up in vain costs nothing, so that step may be repeated.
    public async Task<string> CreateAsync(string name, IReadOnlyList<BatchRequest> requests, CancellationToken cancellation)
    {
        var file = await http.RepeatAsync(() => UploadAsync(name, requests, cancellation), cancellation).ConfigureAwait(false);
        var content = new StringContent(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["input_file_id"] = Id(file), ["endpoint"] = Target, ["completion_window"] = "24h",
            ["metadata"] = new Dictionary<string, string> { [NameKey] = name },
        }), Encoding.UTF8, MediaTypeNames.Application.Json);
        return Id(await http.PostAsync("/batches", content, name, cancellation).ConfigureAwait(false));
    }

    public async Task<IReadOnlyList<BatchStatus>> FindAsync(
        string name, int count, DateTimeOffset since, CancellationToken cancellation)
    {
        string after = "";
        for (int page = 0; page < MostPages; page++)
        {
            var list = await http.GetAsync($"/batches?limit={PageSize}{after}", cancellation).ConfigureAwait(false);
            List<JsonElement> batches = [.. BatchJson.Items(list, "data")];
            foreach (var batch in batches)
            {
                if (BatchJson.Get(batch, "metadata") is { } metadata && BatchJson.Text(metadata, NameKey) == name) return [Status(batch)];
            }

            bool hasMore = BatchJson.Get(list, "has_more") is { ValueKind: JsonValueKind.True };
            if (!hasMore || batches.Count == 0 || Created(batches[^1]) < since) break;
            after = "&after=" + Uri.EscapeDataString(Id(batches[^1]));
        }

        return [];
    }

    public async Task<BatchStatus> StatusAsync(string id, CancellationToken cancellation) =>
        Status(await http.GetAsync("/batches/" + Uri.EscapeDataString(id), cancellation).ConfigureAwait(false));

    public async IAsyncEnumerable<BatchLine?> ResultsAsync(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (byte[] line in http.LinesAsync(path, cancellation).ConfigureAwait(false)) yield return Read(line);
    }

    private Task<JsonElement> UploadAsync(string name, IReadOnlyList<BatchRequest> requests, CancellationToken cancellation)
    {
        var form = new MultipartFormDataContent { { new StringContent("batch"), "purpose" } };
        form.Add(new LinesContent(requests, Line, "application/jsonl", [], "\n"u8.ToArray(), "\n"u8.ToArray()), "file", name + ".jsonl");
        return http.PostAsync("/files", form, null, cancellation);
    }

    private BatchStatus Status(JsonElement batch)
    {
        string word = BatchJson.Text(batch, "status");
        var counts = BatchJson.Get(batch, "request_counts");
        var phase = word switch
        {
            "completed" => BatchPhase.Completed,
            "expired" => BatchPhase.Expired,
            "cancelled" => BatchPhase.Cancelled,
            "failed" => BatchPhase.Failed,
            _ => BatchPhase.UnderWay, // validating, in_progress, finalizing, cancelling, and what others may add
        };
        return new BatchStatus(
            Id(batch), phase, Created(batch), BatchJson.Count(counts, "total"),
            (BatchJson.Count(counts, "completed") ?? 0) + (BatchJson.Count(counts, "failed") ?? 0))
        {
            Fault = phase == BatchPhase.Failed ? FaultOf(batch) : null,
            Results =
            [
                .. new[] { BatchJson.Text(batch, "output_file_id"), BatchJson.Text(batch, "error_file_id") }.Where(id => id.Length > 0)
                    .Select(id => $"/files/{Uri.EscapeDataString(id)}/content"),
            ],
        };
    }

    // Too many tokens waiting at once is the only refusal of a batch that passes by itself.
    private RemoteTeacherException FaultOf(JsonElement batch)
    {
        var first = BatchJson.Get(batch, "errors") is { } errors ? BatchJson.Items(errors, "data").FirstOrDefault() : default;
        string code = BatchJson.Text(first, "code");
        var error = new EndpointError(code, BatchJson.Text(first, "message"));
        bool isBusy = code.Contains("limit_exceeded", StringComparison.Ordinal);
        return new RemoteTeacherException(
            isBusy ? RemoteFaultKind.Busy : RemoteFaultKind.Refused,
            $"{http.Host} did not accept the batch.{(error.Message.Length > 0 ? $" It says: {error.Shown(key)}" : "")}"
            + (isBusy ? " Lower batch_size." : RequestHint.Of(error.Message)));
    }

    private BatchLine? Read(byte[] line)
    {
        if (BatchJson.Parse(line) is not { } root) return null;
        string id = BatchJson.Text(root, "custom_id");
        var response = BatchJson.Get(root, "response");
        var body = BatchJson.Get(response, "body");
        int status = BatchJson.Count(response, "status_code") ?? 0;
        if (status is >= 200 and < 300 && body is { } completion) return Completion(id, completion);
        var error = body is { } said && EndpointError.Find(said) is { } inner ? inner : EndpointError.Find(root);
        return BatchJson.Failed(id, http.Host, status, error ?? new EndpointError("", ""), key);
    }

    private BatchLine? Completion(string id, JsonElement body)
    {
        try
        {
            var assembly = new ReplyAssembly(key);
            assembly.Add(ReplyJson.Read(Encoding.UTF8.GetBytes(body.GetRawText()), key));
            var response = assembly.ToResponse(endpoint.Model);
            return response.FinishReason is null
                ? null
                : new BatchLine(id, StoredCompletion.Of(response, ""), null) { IsCounted = response.Usage?.OutputTokenCount is not null };
        }
        catch (RemoteTeacherException fault)
        {
            return new BatchLine(id, null, fault);
        }
    }

    private static string Id(JsonElement owner) => BatchJson.Text(owner, "id") is { Length: > 0 and <= 512 } id
        ? id
        : throw new RemoteTeacherException(RemoteFaultKind.Damaged, "The batch interface gave no id.");

    private static DateTimeOffset Created(JsonElement batch) =>
        BatchJson.Get(batch, "created_at") is { ValueKind: JsonValueKind.Number } at && at.TryGetInt64(out long seconds)
            && seconds is > 0 and < 100_000_000_000
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : DateTimeOffset.MaxValue;
}

/// <summary>Fields of JSON that strangers wrote; what is not as expected is not there.</summary>
internal static class BatchJson
{
    public static JsonElement? Parse(byte[] line)
    {
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static JsonElement? Get(JsonElement? owner, string name) =>
        owner is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var value)
            && value.ValueKind is not JsonValueKind.Null
            ? value
            : null;

    public static string Text(JsonElement? owner, string name) =>
        Get(owner, name) is { ValueKind: JsonValueKind.String } value ? JsonText.Of(value) : "";

    public static int? Count(JsonElement? owner, string name) =>
        Get(owner, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int count) && count >= 0 ? count : null;

    public static IEnumerable<JsonElement> Items(JsonElement owner, string name) =>
        Get(owner, name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : [];

    /// <summary>A line without an answer. What a filter refuses is an answer too.</summary>
    public static BatchLine Failed(string id, string host, int status, EndpointError error, ApiKey? key)
    {
        string said = error.Message.Length > 0 ? $" It says: {error.Shown(key)}" : "";
        string number = status > 0 ? " " + status.ToString(CultureInfo.InvariantCulture) : "";
        string message = $"{host} answered{number} to a line of a batch.{said}";
        if (error.IsFiltered)
            return new BatchLine(id, new StoredCompletion("", "", ChatFinishReason.ContentFilter.Value, 0, 0, message), null);
        bool isRefused = status is >= 400 and < 500 and not (408 or 429);
        var kind = isRefused ? RemoteFaultKind.Refused : status == 429 ? RemoteFaultKind.Busy : RemoteFaultKind.ServerFault;
        return new BatchLine(id, null, new RemoteTeacherException(kind, message + (isRefused ? RequestHint.Of(error.Message) : ""))
        {
            Status = status > 0 ? status : null,
        });
    }
}
