using System.Net.Http.Json;
using System.Text.Json;
using Distill.Cli;
using Distill.Cli.Output;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill serve-model</c> as a process sees it: where it answers, how it ends, what it refuses to start with.</summary>
public sealed class ServeModelCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task It_says_where_it_answers_scores_as_distill_score_and_stops_in_order()
    {
        string model = TinyCheckpoint.Write(Path.Combine(folder.Path, "trained"));
        using var stop = new CancellationTokenSource();
        using var output = new FirstLine();
        using StringWriter error = new();
        using var input = new StringReader("");
        var running = Task.Run(() => DistillCommandLine.Run(
            ["serve-model", model, "--port", "0", "--json", "--name", "tiny", "--grace", "5"], new ConsoleStreams(input, output, error),
                TimeProvider.System, stop.Token));
        var first = await Task.WhenAny(output.Written, running);
        first.ShouldBe(output.Written, error.ToString());
        var started = JsonDocument.Parse(await output.Written).RootElement;
        started.GetProperty("kind").GetString().ShouldBe("checkpoint");

        using var client = new HttpClient { BaseAddress = new Uri(started.GetProperty("listening").GetString()!) };
        using var response =
            await client.PostAsJsonAsync("/v1/completions", new { prompt = "12 + 3 = 15", max_tokens = 0, echo = true, logprobs = 0 },
                TestContext.Current.CancellationToken);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        double?[] served = Scores(body.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs"));
        var scored = CommandLineRun.With("12 + 3 = 15", default, "score", model, "-", "--json");
        double?[] expected = Scores(JsonDocument.Parse(scored.Out.Split('\n')[0]).RootElement.GetProperty("logProbabilities"));
        served.Length.ShouldBe(expected.Length);
        for (int i = 1; i < served.Length; i++) served[i]!.Value.ShouldBe(expected[i]!.Value, 2e-6);

        stop.Cancel();
        (await running).ShouldBe(0, error.ToString());
        JsonDocument.Parse(output.ToString().Split('\n')[1]).RootElement.GetProperty("requests").GetInt32().ShouldBe(1);
        error.ToString().ShouldContain("POST /v1/completions 200");
    }

    [Theory]
    [InlineData("an API key is required", "--host", "0.0.0.0")]
    [InlineData("--host 'here' is not an address.", "--host", "here")]
    [InlineData("The environment variable 'DISTILL_NO_SUCH_KEY' is not set.", "--api-key-env", "DISTILL_NO_SUCH_KEY")]
    [InlineData("'localhost:5173' is no origin", "--cors", "http://a.example", "localhost:5173")]
    [InlineData("the origin * lets every page of the web ask", "--cors", "*")]
    [InlineData("--max-length 513 is more than the 512", "--max-length", "513")]
    public void It_does_not_start_with_what_cannot_be_meant(string message, params string[] options)
    {
        var run = CommandLineRun.Of(["serve-model", TinyCheckpoint.Write(Path.Combine(folder.Path, "trained")), "--port", "0", .. options]);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(message);
    }

    private static double?[] Scores(JsonElement array) =>
        [.. array.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Null ? (double?)null : item.GetDouble())];

    /// <summary>Tells when the first line is complete.</summary>
    private sealed class FirstLine : StringWriter
    {
        private readonly TaskCompletionSource<string> written = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Written => written.Task;

        public override void Flush()
        {
            if (ToString() is { Length: > 0 } text) written.TrySetResult(text);
        }
    }
}
