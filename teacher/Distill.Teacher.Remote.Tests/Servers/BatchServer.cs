using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Distill.Teacher.Remote.Tests.Servers;

/// <summary>What goes wrong with one call.</summary>
internal enum Break
{
    None,

    /// <summary>The connection is cut, and nothing was done.</summary>
    Before,

    /// <summary>It was done, and the connection is cut before the answer.</summary>
    After,

    /// <summary>A page with status 200, and nothing was done.</summary>
    Page,

    /// <summary>It was done, and a page with status 200 is the answer.</summary>
    PageAfter,

    /// <summary>Half of the answer.</summary>
    Half,
}

/// <summary>What becomes of one line.</summary>
internal enum LineEnd
{
    Answered,
    Refused,
    Filtered,
    Failed,
    Expired,
    Cancelled,

    /// <summary>No line at all.</summary>
    Lost,

    /// <summary>A line that is no JSON.</summary>
    Garbled,

    /// <summary>Two lines.</summary>
    Twice,
}

/// <summary>A batch as the server has it.</summary>
internal sealed class ServedBatch
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<(string Id, JsonObject Body)> Requests { get; init; }

    public required DateTimeOffset Created { get; init; }

    public int Looks { get; set; }

    public Dictionary<string, LineEnd> Ends { get; } = [];
}

/// <summary>
/// Both batch interfaces as documented, in memory: files and /batches, and /messages/batches. Counts what would be billed.
/// </summary>
internal sealed class BatchServer : IAsyncDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly WebApplication application;
    private readonly Lock gate = new();
    private readonly Dictionary<string, string> files = [];
    private readonly ConcurrentQueue<string> calls = new();

    private BatchServer(WebApplication application) => this.application = application;

    public string Address => application.Urls.Single() + "/v1";

    /// <summary>Method and path of every call that arrived.</summary>
    public IReadOnlyList<string> Calls => [.. calls];

    public List<ServedBatch> Batches { get; } = [];

    public ConcurrentQueue<IReadOnlyDictionary<string, string>> Headers { get; } = new();

    /// <summary>Looks at a batch until it has ended.</summary>
    public int LooksToEnd { get; set; } = 2;

    /// <summary>Call's number → what goes wrong with it.</summary>
    public Func<int, string, Break> Breaks { get; set; } = (_, _) => Break.None;

    /// <summary>Request's id and the batch's number, from 0 → what becomes of it.</summary>
    public Func<string, int, LineEnd> Ends { get; set; } = (_, _) => LineEnd.Answered;

    /// <summary>Set by somebody in the console: the next look finds the batch cancelled.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>A whole batch is not accepted: code and message.</summary>
    public (string Code, string Message)? Rejection { get; set; }

    /// <summary>Lines that belong to nobody, added to every file of results.</summary>
    public int ForeignLines { get; set; }

    /// <summary>Answers that were made for a request, over all batches.</summary>
    public int PaidOf(string id) => Batches.Count(batch =>
        batch.Ends.GetValueOrDefault(id, LineEnd.Lost) is LineEnd.Answered or LineEnd.Twice);

    public static async Task<BatchServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").UseKestrelCore();
        var server = new BatchServer(builder.Build());
        server.application.Run(server.AnswerAsync);
        await server.application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await application.StopAsync(now.Token);
        await application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string target = context.Request.Method + " " + context.Request.Path;
        int number;
        lock (gate)
        {
            number = calls.Count;
            calls.Enqueue(target);
        }

        Headers.Enqueue(context.Request.Headers.ToDictionary(
            header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));
        var fault = Breaks(number, target);
        string body = context.Request.HasFormContentType
            ? await FileOf(await context.Request.ReadFormAsync())
            : await new StreamReader(context.Request.Body).ReadToEndAsync();
        if (fault == Break.Before)
        {
            context.Abort();
            return;
        }

        var (status, answer) = fault == Break.Page ? (200, "") : Do(context, target, body);
        await SendAsync(context, fault, status, answer);
    }

    private static async Task SendAsync(HttpContext context, Break fault, int status, string answer)
    {
        if (fault == Break.After)
        {
            context.Abort();
            return;
        }

        bool isPage = fault is Break.Page or Break.PageAfter;
        context.Response.StatusCode = status;
        context.Response.ContentType = isPage ? "text/html" : "application/json";
        if (fault == Break.Half)
        {
            context.Response.ContentLength = Encoding.UTF8.GetByteCount(answer) + 1;
            await context.Response.WriteAsync(answer[..(answer.Length / 2)]);
            await context.Response.Body.FlushAsync();
            context.Abort();
            return;
        }

        await context.Response.WriteAsync(isPage ? "<html>busy</html>" : answer);
    }

    private static async Task<string> FileOf(IFormCollection form)
    {
        form["purpose"].ToString().ShouldBe("batch");
        using var reader = new StreamReader(form.Files.Single().OpenReadStream());
        return await reader.ReadToEndAsync();
    }

    private (int Status, string Body) Do(HttpContext context, string target, string body)
    {
        lock (gate)
        {
            string last = target[(target.LastIndexOf('/') + 1)..];
            return target switch
            {
                "POST /v1/files" => (200, Added(body)),
                "POST /v1/batches" => Created(JsonNode.Parse(body)!.AsObject()),
                "GET /v1/batches" => (200, Listed(context, Batch)),
                "POST /v1/messages/batches" => (200, CreatedMessages(JsonNode.Parse(body)!.AsObject())),
                "GET /v1/messages/batches" => (200, Listed(context, Messages)),
                _ when target.EndsWith("/content", StringComparison.Ordinal) => (200, OpenAILines(target.Split('/')[^2])),
                _ when target.EndsWith("/results", StringComparison.Ordinal) => (200, MessageLines(target.Split('/')[^2])),
                _ when target.StartsWith("GET /v1/batches/", StringComparison.Ordinal) => (200, Batch(Looked(last)).ToJsonString()),
                _ => (200, Messages(Looked(last)).ToJsonString()),
            };
        }
    }

    private string Added(string lines)
    {
        string id = $"file-{files.Count}";
        files.Add(id, lines);
        return new JsonObject { ["id"] = id, ["object"] = "file" }.ToJsonString();
    }

    private (int, string) Created(JsonObject request)
    {
        request["endpoint"]!.GetValue<string>().ShouldBe("/v1/chat/completions");
        request["completion_window"]!.GetValue<string>().ShouldBe("24h");
        var lines = files[request["input_file_id"]!.GetValue<string>()].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        return (200, Batch(Add(
            request["metadata"]!["distill_batch"]!.GetValue<string>(),
            [.. lines.Select(line => (line["custom_id"]!.GetValue<string>(), line["body"]!.AsObject()))])).ToJsonString());
    }

    private string CreatedMessages(JsonObject request) => Messages(Add(
        "",
        [
            .. request["requests"]!.AsArray().Select(each => (each!["custom_id"]!.GetValue<string>(), each["params"]!.AsObject())),
        ])).ToJsonString();

    public ServedBatch Add(string name, IReadOnlyList<(string, JsonObject)> requests)
    {
        var batch = new ServedBatch
        {
            Id = $"batch-{Batches.Count}", Name = name, Requests = requests, Created = Start.AddSeconds(Batches.Count),
        };
        foreach (var (id, _) in requests) batch.Ends[id] = Rejection is null ? Ends(id, Batches.Count) : LineEnd.Lost;
        Batches.Add(batch);
        return batch;
    }

    private ServedBatch Looked(string id)
    {
        var batch = Batches.First(each => each.Id == id);
        batch.Looks++;
        return batch;
    }

    // Newest first, two a page.
    private string Listed(HttpContext context, Func<ServedBatch, JsonObject> spell)
    {
        string after = context.Request.Query["after"].ToString() + context.Request.Query["after_id"];
        var rest = Batches.AsEnumerable().Reverse().SkipWhile(batch => after.Length > 0 && batch.Id != after)
            .Skip(after.Length > 0 ? 1 : 0).ToList();
        return new JsonObject
        {
            ["data"] = new JsonArray([.. rest.Take(2).Select(batch => (JsonNode)spell(batch))]), ["has_more"] = rest.Count > 2,
        }.ToJsonString();
    }

    private bool HasEnded(ServedBatch batch) => batch.Looks >= LooksToEnd;

    private JsonObject Batch(ServedBatch batch)
    {
        bool expired = batch.Ends.Values.Any(end => end == LineEnd.Expired);
        string end = IsCancelled ? "cancelled" : expired ? "expired" : "completed";
        string status = !HasEnded(batch) ? "in_progress" : Rejection is not null ? "failed" : end;
        var node = new JsonObject
        {
            ["id"] = batch.Id, ["object"] = "batch", ["status"] = status, ["created_at"] = batch.Created.ToUnixTimeSeconds(),
            ["metadata"] = new JsonObject { ["distill_batch"] = batch.Name },
            ["request_counts"] = new JsonObject { ["total"] = batch.Requests.Count, ["completed"] = 0, ["failed"] = 0 },
        };
        if (status == "failed")
            node["errors"] = new JsonObject
            {
                ["data"] = new JsonArray(new JsonObject { ["code"] = Rejection!.Value.Code, ["message"] = Rejection.Value.Message }),
            };
        else if (HasEnded(batch)) (node["output_file_id"], node["error_file_id"]) = ($"{batch.Id}.out", $"{batch.Id}.err");
        return node;
    }

    private JsonObject Messages(ServedBatch batch)
    {
        int Of(LineEnd end) => HasEnded(batch) ? batch.Ends.Values.Count(each => each == end) : 0;
        int cancelled = Of(LineEnd.Cancelled), expired = Of(LineEnd.Expired);
        return new JsonObject
        {
            ["id"] = batch.Id, ["type"] = "message_batch", ["processing_status"] = HasEnded(batch) ? "ended" : "in_progress",
            ["created_at"] = batch.Created.ToString("O", CultureInfo.InvariantCulture),
            ["cancel_initiated_at"] = IsCancelled ? "2026-03-01T12:00:00Z" : null,
            ["results_url"] = "https://elsewhere.example/steal", // the key must not go there
            ["request_counts"] = new JsonObject
            {
                ["processing"] = HasEnded(batch) ? 0 : batch.Requests.Count,
                ["succeeded"] = HasEnded(batch) ? batch.Requests.Count - cancelled - expired : 0, ["errored"] = 0, ["canceled"] = cancelled,
                ["expired"] = expired,
            },
        };
    }

    private string OpenAILines(string file)
    {
        var batch = Batches.First(each => file.StartsWith(each.Id + ".", StringComparison.Ordinal));
        bool isOutput = file.EndsWith(".out", StringComparison.Ordinal);
        return Lines(batch, isOutput, id => BatchLines.OpenAI(id, batch.Ends[id]), BatchLines.OpenAI("nobody", LineEnd.Answered));
    }

    private string MessageLines(string id)
    {
        var batch = Batches.First(each => each.Id == id);
        return Lines(batch, null, line => BatchLines.Anthropic(line, batch.Ends[line]), BatchLines.Anthropic("nobody", LineEnd.Answered));
    }

    private string Lines(ServedBatch batch, bool? isOutput, Func<string, string> spell, string foreign)
    {
        var text = new StringBuilder();
        foreach (string id in batch.Requests.Select(request => request.Id).Reverse())
        {
            var end = batch.Ends[id];
            bool isAnswer = end is LineEnd.Answered or LineEnd.Twice or LineEnd.Garbled;
            if (end == LineEnd.Lost || isOutput is { } output && output != isAnswer) continue;
            text.Append(spell(id)).Append('\n');
            if (end == LineEnd.Twice) text.Append(spell(id).Replace("answer to", "second to", StringComparison.Ordinal)).Append('\n');
        }

        for (int i = 0; i < ForeignLines; i++) text.Append(foreign).Append('\n');
        return text.ToString();
    }
}

/// <summary>Lines of results as the two interfaces write them.</summary>
internal static class BatchLines
{
    public static string OpenAI(string id, LineEnd end) => end switch
    {
        LineEnd.Garbled => "{\"custom_id\":\"" + id,
        LineEnd.Answered or LineEnd.Twice => Line(id, 200, new JsonObject
        {
            ["choices"] = new JsonArray(new JsonObject
            {
                ["message"] = new JsonObject { ["content"] = $"answer to {id[..4]}", ["reasoning_content"] = "why" },
                ["finish_reason"] = "stop",
            }),
            ["usage"] = new JsonObject { ["prompt_tokens"] = 11, ["completion_tokens"] = 7 },
        }),
        LineEnd.Refused => Line(id, 400, Error("invalid_request_error", "no such questions")),
        LineEnd.Filtered => Line(id, 400, Error("content_filter", "filtered")),
        LineEnd.Failed => Line(id, 500, Error("server_error", "sorry")),
        _ => new JsonObject
        {
            ["custom_id"] = id, ["response"] = null,
            ["error"] = new JsonObject { ["code"] = "batch_expired", ["message"] = "not done in time" },
        }.ToJsonString(),
    };

    public static string Anthropic(string id, LineEnd end) => end == LineEnd.Garbled ? "{\"custom_id\":\"" + id : new JsonObject
    {
        ["custom_id"] = id,
        ["result"] = end switch
        {
            LineEnd.Answered or LineEnd.Twice => new JsonObject
            {
                ["type"] = "succeeded",
                ["message"] = new JsonObject
                {
                    ["content"] = new JsonArray(
                        new JsonObject { ["type"] = "thinking", ["thinking"] = "why" },
                        new JsonObject { ["type"] = "text", ["text"] = $"answer to {id[..4]}" }),
                    ["stop_reason"] = "end_turn", ["usage"] = new JsonObject { ["input_tokens"] = 11, ["output_tokens"] = 7 },
                },
            },
            LineEnd.Refused => Errored("invalid_request_error", "no such questions"),
            LineEnd.Filtered => Errored("invalid_request_error", "Output blocked: your prompt was flagged"),
            LineEnd.Failed => Errored("api_error", "sorry"),
            LineEnd.Cancelled => new JsonObject { ["type"] = "canceled" },
            _ => new JsonObject { ["type"] = "expired" },
        },
    }.ToJsonString();

    private static JsonObject Errored(string type, string message) => new()
    {
        ["type"] = "errored",
        ["error"] = new JsonObject { ["type"] = "error", ["error"] = new JsonObject { ["type"] = type, ["message"] = message } },
    };

    private static JsonObject Error(string code, string message) =>
        new() { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } };

    private static string Line(string id, int status, JsonObject body) => new JsonObject
    {
        ["id"] = "r", ["custom_id"] = id, ["response"] = new JsonObject { ["status_code"] = status, ["body"] = body }, ["error"] = null,
    }.ToJsonString();
}
