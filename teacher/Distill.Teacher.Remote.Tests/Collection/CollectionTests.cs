using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Teacher.Remote.Tests.Collection;

/// <summary>Traces of a remote teacher: the rows, and that nothing is paid for twice.</summary>
public sealed class CollectionTests : IDisposable
{
    private static readonly IReadOnlyList<Problem> Problems = ProblemSet.Generate(
        [new ProblemSetPart("arithmetic", 1, 1)], 5, Split.Train, 10);

    private readonly string folder = Directory.CreateTempSubdirectory("distill-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Rows_hold_what_the_teacher_said_and_what_it_was_asked()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12", "5 + 7 = 12"));
        var parts = await CollectAsync(server, Options());
        parts.Select(part => part.Index).ShouldBe([0, 1, 2]);
        var traces = parts.SelectMany(part => part.Traces).ToList();
        traces.Select(trace => (trace.Problem, trace.SampleIndex))
            .ShouldBe(Problems.SelectMany(problem => (IEnumerable<(Problem, int)>)[(problem, 0), (problem, 1)]));
        var first = traces[0];
        (
            first.Reasoning, first.Answer, first.StopReason, first.PromptTokens,
            first.CompletionTokens).ShouldBe(("5 + 7 = 12", "12", "stop", 11, 7));
        (first.Teacher, first.Sampling).ShouldBe(
            ("teacher-1", """{"max_tokens":64,"min_p":0,"repetition_penalty":1,"temperature":0.7,"top_k":0,"top_p":1}"""));
        (first.TokenIds.Count + first.TokenLogProbabilities.Count).ShouldBe(0);
        traces.Select(trace => trace.Seed).Distinct().Count().ShouldBe(20);
        server.Calls.Select(call => call.Body["seed"]!.GetValue<long>()).Distinct().Count().ShouldBe(20);
        server.Calls.Select(call => call.Prompt).Distinct().Order().ShouldBe(Problems.Select(problem => problem.Text).Order());
    }

    [Theory]
    [InlineData("<think>a</think>b", "", "stop", "a", "b", "stop")]
    [InlineData("a</think>b", "", "stop", "a", "b", "stop")] // the template opened the thinking
    [InlineData("<think>a", "", "stop", "a", null, "stop")]
    [InlineData("b", "a", "stop", "a", "b", "stop")]
    [InlineData("b</think>c", "a", "stop", "a</think>b", "c", "stop")] // the last one ends the thought
    [InlineData("c", "a </think> b", "stop", "a </think> b", "c", "stop")]
    [InlineData("<think>a </think> is a mark</think>c", "", "stop", "a </think> is a mark", "c", "stop")]
    [InlineData("Well.\n<think>a</think>c", "", "stop", "Well.\na", "c", "stop")]
    [InlineData("<think>a</think>b<think>c", "", "stop", "a</think>b<think>c", null, "stop")]
    [InlineData("so 5 + 7", "", "length", "so 5 + 7", null, "length")] // a thought that the template opened
    [InlineData("so 5 + 7", "", "MAX_TOKENS", "so 5 + 7", null, "length")]
    [InlineData("<think>so 5 + 7", "", "length", "so 5 + 7", null, "length")]
    [InlineData("", "so 5 + 7", "model_length", "so 5 + 7", null, "length")]
    [InlineData("12", "a", "length", "a", null, "length")] // perhaps 123
    [InlineData("", "a", "length", "a", null, "length")]
    [InlineData("b", "", "content_filter", "", null, "content_filter")]
    [InlineData("b", "", "insufficient_system_resource", "", null, "insufficient_system_resource")] // broke off, like length
    [InlineData("b", "", "end_turn", "", "b", "stop")]
    [InlineData("b", "", "safety", "", null, "content_filter")]
    [InlineData("b", "", "STOP", "", "b", "stop")]
    [InlineData("b", "", "weird\n reason", "", "b", "other")]
    [InlineData("", "", "stop", "", null, "empty")]
    [InlineData(" \n", "a", "stop", "a", null, "empty")]
    [InlineData("\0\u001b[31m", "", "stop", "", "\0\u001b[31m", "stop")]
    public async Task Whatever_a_model_says_becomes_a_row(
        string text, string reasoning, string finish, string expectedReasoning, string? expectedAnswer, string expectedStop)
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed(text, reasoning, finish));
        var trace = (await CollectAsync(server, Options() with { Samples = 1 }))[0].Traces[0];
        (trace.Reasoning, trace.Answer, trace.StopReason).ShouldBe((expectedReasoning, expectedAnswer, expectedStop));
    }

    [Fact]
    public async Task Rows_survive_the_trace_file()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12\0\ud800", "why"));
        var part = (await CollectAsync(server, Options()))[0];
        string path = Path.Combine(folder, "part.parquet");
        TraceFile.Write(path, part.Traces);
        TraceFile.Read(path).Select(trace => (trace.Problem.Id, trace.Answer, trace.TeacherDigest))
            .ShouldBe(part.Traces.Select(trace => (trace.Problem.Id, trace.Answer, trace.TeacherDigest)));
    }

    [Fact]
    public async Task Finished_parts_are_not_asked_for_again()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12"));
        var parts = await CollectAsync(server, Options(), isFinished: part => part == 1);
        parts.Select(part => part.Index).ShouldBe([0, 2]);
        server.Calls.Count.ShouldBe(12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_failing_endpoint_costs_no_completion_that_was_finished(int concurrency)
    {
        await using var server = await ChatServer.StartAsync(
            (context, number) => (number < 7 ? Answers.Streamed(Text(number)) : Answers.Status(401))(context));
        var options = Options() with { Concurrency = concurrency };
        await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, options));
        int stored = StoredFiles();
        stored.ShouldBe(7);

        await using var healed = await ChatServer.StartAsync(Answers.Streamed("again"));
        var parts = await CollectAsync(healed, options);
        healed.Calls.Count.ShouldBe(20 - 7);
        parts.SelectMany(part => part.Traces).Count(trace => trace.Answer == "again").ShouldBe(20 - 7);
        parts.SelectMany(part => part.Traces).Where(trace => trace.Answer != "again").Select(trace => trace.Answer).Order()
            .ShouldBe(Enumerable.Range(0, 7).Select(Text));
    }

    [Fact]
    public async Task Cancelling_stops_at_once_and_a_second_run_goes_on_from_there()
    {
        var reached = new TaskCompletionSource();
        await using var server = await ChatServer.StartAsync(
            (context, number) => (number < 5 ? Answers.Streamed(Text(number)) : Answers.Stall(reached))(context));
        var options = Options() with { Concurrency = 1 };
        using var end = new CancellationTokenSource();
        var run = CollectAsync(server, options, cancellation: end.Token);
        await reached.Task;
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => run);
        await using var second = await ChatServer.StartAsync(Answers.Streamed("again"));
        await CollectAsync(second, options);
        second.Calls.Count.ShouldBe(20 - 5);
    }

    [Fact]
    public async Task Interrupted_and_undisturbed_collections_are_equal()
    {
        // An endpoint that follows its seeds: the same request has the same answer.
        Task Answer(HttpContext context, ChatCall call) =>
            Answers.Streamed(string.Create(CultureInfo.InvariantCulture, $"{call.Body["seed"]}"))(context);
        await using var steady = await ChatServer.StartAsync((context, number, call) => Answer(context, call));
        var options = Options();
        var whole = await CollectAsync(steady, options, store: "whole");
        await using var shaky = await ChatServer.StartAsync(
            (context, number, call) => number == 9 ? Answers.Status(404)(context) : Answer(context, call));
        await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(shaky, options, store: "parts"));
        var resumed = await CollectAsync(shaky, options, store: "parts");
        Flat(resumed).ShouldBe(Flat(whole));
    }

    [Fact]
    public async Task More_samples_ask_only_for_the_new_ones()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12"));
        await CollectAsync(server, Options() with { Samples = 1 });
        server.Calls.Count.ShouldBe(10);
        await CollectAsync(server, Options() with { Samples = 3 });
        server.Calls.Count.ShouldBe(30);
    }

    [Fact]
    public async Task Everything_that_decides_a_completion_is_in_its_name()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12"));
        var options = Options();
        RemoteTraceOptions[] others =
        [
            options with { Seed = 2 }, options with { Temperature = 0.8 }, options with { TopP = 0.9 }, options with { MaxTokens = 65 },
            options with { SendSeed = false },
            options with { Teacher = "teacher-2" }, options with { Address = "https://example.com/v1" },
        ];
        await CollectAsync(server, options);
        foreach (var other in others)
        {
            int before = server.Calls.Count;
            await CollectAsync(server, other);
            (server.Calls.Count - before).ShouldBe(20, other.ToString());
        }

        server.Calls.Count(call => !call.Body.ContainsKey("seed")).ShouldBe(20);
        await CollectAsync(server, options with { Concurrency = 1, ProblemsPerPart = 3, Address = options.Address + "/" });
        server.Calls.Count.ShouldBe(20 * (1 + others.Length));
    }

    [Fact]
    public async Task The_key_is_in_no_file()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed($"the key is {Answers.Key}", Answers.Key));
        var part = (await CollectAsync(server, Options()))[0];
        TraceFile.Write(Path.Combine(folder, "part.parquet"), part.Traces);
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            File.ReadAllText(file, System.Text.Encoding.Latin1).ShouldNotContain(Answers.Key[..12], Case.Sensitive, file);
        part.Traces[0].Answer.ShouldBe("the key is ***");
    }

    private static string Text(int number) => "old-" + number.ToString(CultureInfo.InvariantCulture);

    private static List<string?> Flat(IEnumerable<TracePart> parts) =>
        [.. parts
            .SelectMany(
                part => part.Traces.Select(trace => $"{part.Index} {trace.Problem.Id} {trace.SampleIndex} {trace.Seed} {trace.Answer}"))];

    private static RemoteTraceOptions Options() => new()
    {
        Seed = 1,
        Teacher = "teacher-1",
        Address = "http://teacher.test/v1", // names what is collected; the tests' servers come and go on other ports
        Samples = 2,
        MaxTokens = 64,
        ProblemsPerPart = 4,
    };

    private async Task<IReadOnlyList<TracePart>> CollectAsync(
        ChatServer server, RemoteTraceOptions options, Func<int, bool>? isFinished = null, string store = "store",
        CancellationToken? cancellation = null)
    {
        using var client = TestClient.Patient(server, new HurriedClock(), new CallOptions { Concurrency = options.Concurrency });
        var parts = new List<TracePart>();
        int last = 0;
        await new RemoteTraceCollection(client, options, new CompletionStore(Path.Combine(folder, store))).RunAsync(
            Problems, isFinished ?? (_ => false), parts.Add, progress =>
            {
                progress.Traces.ShouldBeGreaterThanOrEqualTo(last);
                last = progress.Traces;
            },
            cancellation ?? TestContext.Current.CancellationToken);
        last.ShouldBe(Problems.Count * options.Samples);
        return [.. parts.OrderBy(part => part.Index)];
    }

    private int StoredFiles() => Directory.GetFiles(Path.Combine(folder, "store"), "*.json", SearchOption.AllDirectories).Length;
}
