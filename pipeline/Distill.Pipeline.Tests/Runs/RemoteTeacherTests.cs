using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Teacher.Remote;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Runs whose teacher is a server of the test that knows the solutions.</summary>
public sealed class RemoteTeacherTests : IDisposable
{
    private const string Variable = "DISTILL_TEST_REMOTE_TEACHER_KEY";

    private readonly TemporaryFolder folder = new();

    public RemoteTeacherTests() => Environment.SetEnvironmentVariable(Variable, Answers.Key);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_whole_run_ends_with_a_report_without_a_row_for_the_teacher()
    {
        await using var server = await ChatServer.StartAsync(Solve);
        var (result, observer) = await RunAsync(server);
        var report = result.Report.ShouldNotBeNull();
        report.Evaluations.Select(row => row.Model).ShouldBe(["base", "answer-only", "sft", "rl", "onnx"]);
        report.Notes.ShouldContain(note =>
            note.Contains("thinker at 127.0.0.1 is not in the comparison", StringComparison.Ordinal)
            && note.Contains("48 traces of 48 problems, 528 prompt and 336 completion tokens", StringComparison.Ordinal));
        report.Curation.ShouldNotBeNull().Kept.ShouldBe(48);
        report.Throughput["traces/teacherRequests"].ShouldBe(48);
        report.Throughput["traces/teacherCost"].ShouldBe((528 * 1 + 336 * 10) / 1e6, 1e-12);
        observer.Warnings.ShouldBeEmpty();
        server.Calls.Count.ShouldBe(48);
        server.Calls.ShouldAllBe(call => call.Authorization == "Bearer " + Answers.Key);
        Traces("small").ShouldAllBe(trace => trace.StopReason == "stop" && trace.Teacher == "thinker" && trace.Reasoning.Length > 0);
        foreach (string file in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories))
        {
            string text = await File.ReadAllTextAsync(file, System.Text.Encoding.Latin1, TestContext.Current.CancellationToken);
            text.Contains(Answers.Key, StringComparison.Ordinal).ShouldBeFalse(file);
        }
    }

    [Fact]
    public async Task A_failing_endpoint_ends_the_run_and_the_next_one_asks_for_the_rest()
    {
        await using var server = await ChatServer.StartAsync((context, number, call) =>
            number == 30 ? Answers.Status(401, $"bad {Answers.Key}")(context) : Solve(context, number, call));
        string text = Text(server).Replace("concurrency: 4", "concurrency: 1", StringComparison.Ordinal);
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => RunAsync(server, text));
        fault.Message.ShouldContain(Variable);
        fault.ToString().ShouldNotContain(Answers.Key);
        server.Calls.Count.ShouldBe(31);
        await RunAsync(server, text);
        server.Calls.Count.ShouldBe(48 + 1);
    }

    [Fact]
    public async Task What_any_run_has_asked_is_not_asked_again_unless_other_runs_are_not_to_be_used()
    {
        await using var server = await ChatServer.StartAsync(Solve);
        await RunAsync(server, Text(server));
        await RunAsync(server, Text(server), new RunOptions { Name = "more" }, "teacher.samples=2");
        server.Calls.Count.ShouldBe(48 + 48);
        await RunAsync(server, Text(server), new RunOptions { Force = "traces" });
        server.Calls.Count.ShouldBe(48 + 48);
        await RunAsync(server, Text(server), new RunOptions { Name = "alone", UseOtherRuns = false });
        server.Calls.Count.ShouldBe(48 + 48 + 48);
        Directory.Exists(Path.Combine(folder.Path, "alone", "2-traces", "requests")).ShouldBeFalse();
    }

    [Fact]
    public async Task An_unfinished_run_that_uses_no_other_still_keeps_its_own_completions()
    {
        await using var server = await ChatServer.StartAsync((context, number, call) =>
            number == 30 ? Answers.Status(404)(context) : Solve(context, number, call));
        string text = Text(server).Replace("concurrency: 4", "concurrency: 1", StringComparison.Ordinal);
        await Should.ThrowAsync<RemoteTeacherException>(() => RunAsync(server, text, new RunOptions { UseOtherRuns = false }));
        await RunAsync(server, text, new RunOptions { UseOtherRuns = false });
        server.Calls.Count.ShouldBe(48 + 1);
    }

    [Fact]
    public async Task The_command_line_predicts_generates_and_names_what_is_missing()
    {
        await using var server = await ChatServer.StartAsync(Solve);
        string recipe = folder.File("remote.yaml", Text(server)), runs = Path.Combine(folder.Path, "runs");
        var plan = CommandLineRun.Of("plan", recipe, "--runs", runs);
        plan.Code.ShouldBe(0);
        string words = string.Join(' ', plan.Out.Split((char[])[' ', '\n', '│'], StringSplitOptions.RemoveEmptyEntries));
        words.ShouldContain("48 requests");
        words.ShouldContain("cost at most 0.07");
        server.Calls.ShouldBeEmpty();
        var generated = CommandLineRun.Of("generate", recipe, "--runs", runs);
        generated.Code.ShouldBe(0, generated.Error);
        server.Calls.Count.ShouldBe(48);
        var missing = CommandLineRun.Of(
            "generate", recipe, "--runs", runs, "--name", "other", "--no-cache",
            "--set", "teacher.api_key_env=DISTILL_TEST_NO_SUCH_KEY");
        missing.Code.ShouldBe(1);
        missing.Error.ShouldContain("DISTILL_TEST_NO_SUCH_KEY is not set");
    }

    [Fact]
    public async Task A_failing_endpoint_ends_the_command_with_the_reason_and_the_way_on()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(403, $"no {Answers.Key}"));
        var failed = CommandLineRun.Of("generate", folder.File("remote.yaml", Text(server)), "--runs", folder.Path, "--verbose");
        failed.Code.ShouldBe(1);
        failed.Error.ShouldContain($"does not accept the key in the environment variable {Variable}");
        failed.Error.ShouldContain("Continue with: distill resume small-data");
        (failed.Error + failed.Out).ShouldNotContain(Answers.Key);
    }

    [Fact]
    public async Task Killed_a_run_has_lost_only_what_was_under_way()
    {
        const int answered = 20, concurrency = 4;
        var allStalled = new TaskCompletionSource();
        bool isKilled = false;
        await using var server = await ChatServer.StartAsync((context, number, call) =>
        {
            if (isKilled || number < answered) return Solve(context, number, call);
            // Each worker has kept its last completion before it asks again.
            if (number == answered + concurrency - 1) allStalled.SetResult();
            return Answers.Stall()(context);
        });
        string recipe = folder.File("remote.yaml", Text(server));
        using var process = DistillProcess.Start("generate", recipe, "--runs", folder.Path, "--name", "small");
        await Task.WhenAny(allStalled.Task, process.WaitForExitAsync(TestContext.Current.CancellationToken));
        process.HasExited.ShouldBeFalse("the run ended by itself");
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        isKilled = true;
        await RunAsync(server, Text(server));
        server.Calls.Count.ShouldBe(answered + concurrency + 48 - answered);
        Traces("small").Count().ShouldBe(48);
    }

    private static string Text(ChatServer server) => SmallRun.Text.Replace(
        $"{{ model: {RepositoryFolder.Root}/teacher/models/tiny-reasoner, samples: 1, max_tokens: 96, slots: 16 }}",
        $"{{ endpoint: '{server.Address}', network: loopback, model: thinker, api_key_env: {Variable}, samples: 1, "
            + "max_tokens: 96, concurrency: 4, prompt_price: 1, completion_price: 10 }",
        StringComparison.Ordinal);

    private static Task Solve(HttpContext context, int number, ChatCall call)
    {
        var problem = Known.Value[call.Prompt];
        return Answers.Streamed(problem.ReferenceAnswer, problem.ReferenceSolution ?? "it is so")(context);
    }

    private static readonly Lazy<IReadOnlyDictionary<string, Problem>> Known = new(() =>
        ProblemSet.Generate(
            [new ProblemSetPart("arithmetic", 1, 1), new ProblemSetPart("words", 1, 1)], 3, Split.Train, 48)
            .ToDictionary(problem => problem.Text));

    private async Task<(RunResult Result, RecordingObserver Observer)> RunAsync(
        ChatServer server, string? text = null, RunOptions? options = null, params string[] overrides)
    {
        var recipe = (DistillationRecipe)RecipeFile.Parse(text ?? Text(server), "small.yaml", RepositoryFolder.Root, overrides);
        var observer = new RecordingObserver();
        // Only the first test needs the stages after the traces.
        var chosen = text is null ? new RunOptions() : (options ?? new RunOptions()) with { Until = "traces" };
        var result = await Task.Run(() => PipelineRun.Run(
            recipe, chosen with { RunsFolder = folder.Path }, observer, TimeProvider.System, TestContext.Current.CancellationToken));
        return (result, observer);
    }

    private IEnumerable<Trace> Traces(string run) =>
        Directory.GetFiles(Path.Combine(folder.Path, run, "2-traces", "data")).SelectMany(file => TraceFile.Read(file));
}
