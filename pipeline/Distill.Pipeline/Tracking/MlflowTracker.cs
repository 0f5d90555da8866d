using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Data.Telemetry;

namespace Distill.Pipeline.Tracking;

/// <summary>
/// A run of MLflow, by its REST interface (mlflow.org/docs/latest/rest-api.html, version 2.0). MLflow keeps one of equal points, so that
/// giving some of them twice harms nothing. One thread; the creator disposes it.
/// </summary>
internal sealed class MlflowTracker : ITracker
{
    public const string Title = "MLflow";

    // Of a place: the run was made, and its parameters were not taken yet.
    private const string WithoutParameters = "without parameters";

    // The most that MLflow takes in one request.
    private const int MostMetrics = 1_000, MostParameters = 100, LongestKey = 250, MostAnswer = 1 << 20;

    private readonly string experiment;
    private readonly HttpClient http;
    private string? runId;

    public MlflowTracker(Uri address, string experiment)
    {
        this.experiment = experiment;
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5) })
        {
            BaseAddress = new Uri(address.AbsoluteUri.TrimEnd('/') + "/api/2.0/mlflow/"), Timeout = TimeSpan.FromSeconds(20),
            MaxResponseContentBufferSize = MostAnswer,
        };
        http.DefaultRequestHeaders.Authorization = Credentials();
    }

    public string Name => Title;

    public TrackedPlace Begin(TrackedRun run, TrackedPlace? known, Action<TrackedPlace> made)
    {
        // Parameters are there to stay: a run with others is another run.
        if (known?.Parameters == run.ParametersDigest && Find(known.Id))
        {
            runId = known.Id;
            Post("runs/update", new JsonObject { ["run_id"] = runId, ["status"] = "RUNNING" });
        }
        else
        {
            runId = Create(run);
            known = new(runId, run.ParametersDigest) { Detail = WithoutParameters };
            made(known);
        }

        if (known.Detail != WithoutParameters) return known;
        foreach (var some in run.Parameters.Chunk(MostParameters))
            Post("runs/log-batch", new JsonObject { ["run_id"] = runId, ["params"] = Pairs(some) });
        return known with { Detail = null };
    }

    private string Create(TrackedRun run)
    {
        var created = Post("runs/create", new JsonObject
        {
            ["experiment_id"] = ExperimentId(), ["run_name"] = run.Name, ["start_time"] = run.Started.ToUnixTimeMilliseconds(),
            ["tags"] = Pairs(run.Tags.Append(new("mlflow.source.name", "distill")).Append(new("mlflow.source.type", "LOCAL"))),
        });
        return created?["run"]?["info"]?["run_id"]?.GetValue<string>() ?? throw new IOException("it did not name the run that it made");
    }

    public void Write(IReadOnlyList<MetricPoint> points)
    {
        var metrics = points.SelectMany(point => point.Values.Select(value =>
            Metric($"{point.Stage}/{value.Key}", value.Value, point.Time, point.Step)));
        foreach (var some in metrics.Chunk(MostMetrics)) Log(some);
    }

    public void End(TrackedEnd end)
    {
        foreach (var some in end.Summary.Select(value => Metric(value.Key, value.Value, end.Time, 0)).Chunk(MostMetrics)) Log(some);
        if (end.Artefacts.Count > 0)
        {
            var tags = end.Artefacts.Select(made => KeyValuePair.Create($"distill.artefact.{made.Key}", made.Value));
            Post("runs/log-batch", new JsonObject
            {
                ["run_id"] = runId, ["tags"] = Pairs(tags.Append(new("distill.outcome", end.Outcome)).Take(MostParameters)),
            });
        }

        string status = end.Outcome switch
        {
            Instruments.Outcome.Finished => "FINISHED",
            Instruments.Outcome.Stopped => "KILLED",
            _ => "FAILED",
        };
        Post("runs/update", new JsonObject
        {
            ["run_id"] = runId, ["status"] = status, ["end_time"] = end.Time.ToUnixTimeMilliseconds(),
        });
    }

    public void Dispose() => http.Dispose();

    private static AuthenticationHeaderValue? Credentials()
    {
        if (Value("MLFLOW_TRACKING_TOKEN") is { } token) return new("Bearer", token);
        return Value("MLFLOW_TRACKING_USERNAME") is { } name
            ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{Value("MLFLOW_TRACKING_PASSWORD")}"))) : null;

        static string? Value(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
    }

    // What MLflow takes as a name: letters, digits, and few marks.
    private static string KeyOf(string name)
    {
        var key = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/' ? c : '_')]);
        return key.Length > LongestKey ? key[..LongestKey] : key;
    }

    private static JsonObject Metric(string name, double value, DateTimeOffset time, int step) => new()
    {
        ["key"] = KeyOf(name), ["value"] = value, ["timestamp"] = time.ToUnixTimeMilliseconds(), ["step"] = step,
    };

    private static JsonArray Pairs(IEnumerable<KeyValuePair<string, string>> pairs) =>
        [.. pairs.Select(pair => (JsonNode)new JsonObject { ["key"] = KeyOf(pair.Key), ["value"] = pair.Value })];

    private void Log(IEnumerable<JsonObject> metrics) =>
        Post("runs/log-batch", new JsonObject { ["run_id"] = runId, ["metrics"] = new JsonArray([.. metrics]) });

    private bool Find(string id) => Send(HttpMethod.Get, $"runs/get?run_id={Uri.EscapeDataString(id)}", null, mayLack: true) is not null;

    private string ExperimentId()
    {
        string path = $"experiments/get-by-name?experiment_name={Uri.EscapeDataString(experiment)}";
        var found = Send(HttpMethod.Get, path, null, mayLack: true)?["experiment"]
            ?? Post("experiments/create", new JsonObject { ["name"] = experiment });
        return found?["experiment_id"]?.GetValue<string>() ?? throw new IOException($"it did not name the experiment '{experiment}'");
    }

    private JsonNode? Post(string path, JsonObject body) => Send(HttpMethod.Post, path, body, mayLack: false);

    /// <returns>Null where there is no such thing and <paramref name="mayLack"/>.</returns>
    /// <exception cref="IOException">It refused, or answered what cannot be understood.</exception>
    private JsonNode? Send(HttpMethod method, string path, JsonObject? body, bool mayLack)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var response = http.Send(request);
            using var reader = new StreamReader(response.Content.ReadAsStream(), Encoding.UTF8);
            string text = reader.ReadToEnd();
            if (response.StatusCode == HttpStatusCode.NotFound && mayLack) return null;
            if (!response.IsSuccessStatusCode) throw new IOException($"it answered {(int)response.StatusCode} to {path.Split('?')[0]}");
            return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text);
        }
        catch (JsonException fault)
        {
            throw new IOException($"its answer to {path.Split('?')[0]} is no JSON", fault);
        }
        catch (TaskCanceledException fault)
        {
            throw new IOException($"it does not answer within {http.Timeout.TotalSeconds:0} seconds", fault);
        }
    }
}
