using System.Globalization;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Teacher.Remote.Tests.Servers;
using Distill.Verification;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Own questions whose answers no program can compare, judged by a model; and a teacher that is asked in batches.</summary>
public sealed class JudgedRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Answers_are_judged_once_and_kept_or_dropped_by_the_verdict()
    {
        await using var server = await ChatServer.StartAsync(Answer);
        string text = Text(server.Address, "concurrency: 3");
        var graded = await RunAsync(text, "curated");
        graded.Count.ShouldBe(24);
        graded.ShouldAllBe(trace => trace.Verifier == "judge" && trace.Keep == (trace.Verdict == Verdict.Correct));
        graded.ShouldAllBe(trace => trace.Verdict == (NumberOf(trace.Trace.Problem.Text) % 2 == 0 ? Verdict.Correct : Verdict.Incorrect));
        graded.Select(trace => trace.Verdict).Distinct().Count().ShouldBe(2);
        server.Calls.Count.ShouldBe(24 + 24);
        await RunAsync(text, "curated", "curated");
        server.Calls.Count.ShouldBe(24 + 24);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public async Task A_teacher_is_asked_in_batches_at_half_the_price(string dialect)
    {
        await using var server = await BatchServer.StartAsync();
        server.LooksToEnd = 1;
        string text = Text(server.Address, $"batch: {dialect}, batch_size: 10, prompt_price: 1, completion_price: 10");
        await RunAsync(text, "traces");
        server.Batches.Select(batch => batch.Requests.Count).ShouldBe([10, 10, 4]);
        string data = Path.Combine(folder.Path, "judged", "2-traces", "data");
        var traces = Directory.GetFiles(data).SelectMany(path => TraceFile.Read(path)).ToList();
        traces.Count.ShouldBe(24);
        traces.ShouldAllBe(trace => trace.Answer!.StartsWith("answer to") && trace.StopReason == "stop");
        int calls = server.Calls.Count;
        await RunAsync(text, "traces", "traces");
        server.Calls.Count.ShouldBe(calls);
    }

    // The teacher is right about every other question.
    private static Task Answer(HttpContext context, int number, ChatCall call)
    {
        var messages = call.Body["messages"]!.AsArray();
        string asked = messages[^1]!["content"]!.GetValue<string>();
        if (call.Body["model"]!.GetValue<string>() == "thinker")
        {
            int which = NumberOf(asked);
            return Answers.Streamed(which % 2 == 0 ? $"it is number {which}" : "nobody knows", "let me think")(context);
        }

        messages[0]!["role"]!.GetValue<string>().ShouldBe("system");
        return Answers.Streamed(
            asked.Contains("it is number", StringComparison.Ordinal) ? "Yes.\nVERDICT: correct" : "No.\nVERDICT: incorrect")(context);
    }

    private string Text(string address, string teacher)
    {
        string questions = folder.File("questions.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i =>
            $"{{\"question\":\"{Words(i)} What is thing number {i}?\",\"answer\":\"number {i}\"}}\n")));
        return $$"""
            name: judged
            seed: 3
            teacher: { endpoint: '{{address}}', network: loopback, model: thinker, max_tokens: 64, {{teacher}} }
            problems:
              sources: [ { file: '{{questions}}' } ]
              verifier: judge
              near_duplicates: 1
              shared_words: 0
              train: 24
              validation: 1
              test: 4
              twins: 0
            judge: { endpoint: '{{address}}', network: loopback, model: grader }
            student: { base: {{RepositoryFolder.Root}}/student/models/tiny-base }
            """;
    }

    private static int NumberOf(string question) =>
        int.Parse(question[(question.LastIndexOf(' ') + 1)..^1], CultureInfo.InvariantCulture);

    private static string Words(int number) => $"In the {number}th room of house {number * 7} there is a thing.";

    private async Task<IReadOnlyList<GradedTrace>> RunAsync(string text, string until, string? force = null)
    {
        var recipe = (DistillationRecipe)RecipeFile.Parse(text, "judged.yaml", folder.Path);
        await Task.Run(() => PipelineRun.Run(
            recipe, new RunOptions { RunsFolder = folder.Path, Until = until, Force = force }, new RecordingObserver(), TimeProvider.System,
            TestContext.Current.CancellationToken));
        string curated = Path.Combine(folder.Path, "judged", "3-curated", "data");
        return Directory.Exists(curated) ? [.. Directory.GetFiles(curated).SelectMany(path => TraceFile.ReadGraded(path))] : [];
    }
}
