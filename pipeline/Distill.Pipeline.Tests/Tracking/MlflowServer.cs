using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Tracking;

/// <summary>
/// The part of MLflow's REST interface that runs use, with its rules: experiments have one name, parameters never change, a request holds
/// at most 1,000 metrics and 100 parameters, equal points are one. Dispose it.
/// </summary>
internal sealed partial class MlflowServer : IAsyncDisposable
{
    private readonly WebApplication application;

    private MlflowServer(WebApplication application) => this.application = application;

    public Uri Address => new(application.Urls.Single());

    public ConcurrentDictionary<string, string> Experiments { get; } = [];

    public ConcurrentDictionary<string, ServedRun> Runs { get; } = [];

    public ConcurrentQueue<string?> Authorizations { get; } = [];

    /// <summary>Answers nothing but this while it is set.</summary>
    public int? Failing { get; set; }

    /// <summary>What <see cref="Failing"/> is answered to; null for everything.</summary>
    public string? FailingPath { get; set; }

    public sealed class ServedRun
    {
        public required string Name { get; init; }

        public required string Experiment { get; init; }

        public string Status { get; set; } = "RUNNING";

        public Dictionary<string, string> Parameters { get; } = [];

        public Dictionary<string, string> Tags { get; } = [];

        public HashSet<(string Key, double Value, long Time, long Step)> Metrics { get; } = [];
    }

    public static async Task<MlflowServer> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var server = new MlflowServer(builder.Build());
        server.application.Run(server.AnswerAsync);
        await server.application.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Authorizations.Enqueue(context.Request.Headers.Authorization);
        using var body = context.Request.Method == "POST" ? await JsonDocument.ParseAsync(context.Request.Body) : null;
        string path = context.Request.Path.Value!.Replace("/api/2.0/mlflow/", "", StringComparison.Ordinal);
        (int status, object answer) = Failing is { } failing && (FailingPath ?? path) == path ? (failing, new { })
            : Answer(path, context.Request.Query, body?.RootElement ?? default);
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(answer, TestContext.Current.CancellationToken);
    }

    private (int, object) Answer(string path, IQueryCollection query, JsonElement body)
    {
        lock (Runs)
        {
            return path switch
            {
                "experiments/get-by-name" => Experiments.TryGetValue(query["experiment_name"].ToString(), out string? id)
                    ? (200, new { experiment = new { experiment_id = id } }) : Missing,
                "experiments/create" => Experiments.TryAdd(Text(body, "name"), $"{Experiments.Count + 1}")
                    ? (200, new { experiment_id = Experiments[Text(body, "name")] }) : Wrong("RESOURCE_ALREADY_EXISTS"),
                "runs/get" => Runs.TryGetValue(query["run_id"].ToString(), out var run) ? (200, new { run = new { } }) : Missing,
                "runs/create" => Create(body),
                "runs/log-batch" => Runs.TryGetValue(Text(body, "run_id"), out var run) ? Log(run, body) : Missing,
                "runs/update" => Runs.TryGetValue(Text(body, "run_id"), out var run) ? Update(run, body) : Missing,
                _ => (404, new { error_code = "ENDPOINT_NOT_FOUND" }),
            };
        }
    }

    private static (int, object) Missing => (404, new { error_code = "RESOURCE_DOES_NOT_EXIST" });

    private static (int, object) Wrong(string code) => (400, new { error_code = code });

    private (int, object) Create(JsonElement body)
    {
        if (!Experiments.Values.Contains(Text(body, "experiment_id"))) return Missing;
        body.GetProperty("start_time").GetInt64().ShouldBeGreaterThan(1_000_000_000_000);
        string id = Guid.NewGuid().ToString("N");
        var run = Runs[id] = new ServedRun { Name = Text(body, "run_name"), Experiment = Text(body, "experiment_id") };
        foreach (var tag in body.GetProperty("tags").EnumerateArray()) run.Tags[Text(tag, "key")] = Text(tag, "value");
        return (200, new { run = new { info = new { run_id = id } } });
    }

    private static (int, object) Log(ServedRun run, JsonElement body)
    {
        if (Items(body, "metrics").Count() > 1_000 || Items(body, "params").Count() > 100 || Items(body, "tags").Count() > 100)
            return Wrong("INVALID_PARAMETER_VALUE");
        var keys = ((string[])["params", "tags", "metrics"]).SelectMany(kind => Items(body, kind))
            .Select(item => Text(item, "key")).ToList();
        if (!keys.All(key => key.Length <= 250 && Key().IsMatch(key)) || body.GetRawText().Length > 1_000_000)
            return Wrong("INVALID_PARAMETER_VALUE");
        foreach (var value in Items(body, "params"))
        {
            if (run.Parameters.GetValueOrDefault(Text(value, "key"), Text(value, "value")) != Text(value, "value"))
                return Wrong("INVALID_PARAMETER_VALUE");
            run.Parameters[Text(value, "key")] = Text(value, "value");
        }

        foreach (var tag in Items(body, "tags")) run.Tags[Text(tag, "key")] = Text(tag, "value");
        foreach (var metric in Items(body, "metrics"))
            run.Metrics.Add((Text(metric, "key"), metric.GetProperty("value").GetDouble(), metric.GetProperty("timestamp").GetInt64(),
                metric.GetProperty("step").GetInt64()));
        return (200, new { });
    }

    private static (int, object) Update(ServedRun run, JsonElement body)
    {
        run.Status = Text(body, "status");
        return run.Status is "RUNNING" or "FINISHED" or "FAILED" or "KILLED" ? (200, new { }) : Wrong("INVALID_PARAMETER_VALUE");
    }

    private static IEnumerable<JsonElement> Items(JsonElement body, string name) =>
        body.TryGetProperty(name, out var list) ? list.EnumerateArray() : [];

    private static string Text(JsonElement body, string name) => body.GetProperty(name).GetString()!;

    [GeneratedRegex(@"^[\w.\- ]+(/[\w.\- ]+)*$")]
    private static partial Regex Key();
}
