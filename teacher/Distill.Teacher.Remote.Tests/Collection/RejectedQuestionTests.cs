using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Teacher.Remote.Tests.Collection;

/// <summary>A question that the endpoint does not take costs that question; a request that it never takes stops the collection.</summary>
public sealed class RejectedQuestionTests : IDisposable
{
    private static readonly IReadOnlyList<Problem> Problems = ProblemSet.Generate(
        [new ProblemSetPart("arithmetic", 1, 1)], 5, Split.Train, 40);

    private readonly string folder = Directory.CreateTempSubdirectory("distill-test-").FullName;
    private string? firstReason;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(39, 1)]
    [InlineData(17, 4)]
    public async Task One_refused_question_is_dropped_with_the_servers_reason(int which, int concurrency)
    {
        await using var server = await ServerThatRefuses([Problems[which].Text]);
        var traces = await CollectAsync(server, concurrency, samples: 2);
        traces.Count.ShouldBe(80);
        var dropped = traces.Where(trace => trace.StopReason == "rejected").ToList();
        dropped.Select(trace => trace.Problem.Id).ShouldBe([Problems[which].Id, Problems[which].Id]);
        dropped.ShouldAllBe(trace => trace.Answer == null && trace.Refusal!.Contains("no such questions", StringComparison.Ordinal));
        traces.Except(dropped).ShouldAllBe(trace => trace.Answer == "12" && trace.Refusal == null);
        firstReason.ShouldNotBeNull().ShouldContain("no such questions");
        if (concurrency == 1) server.Calls.Count.ShouldBe(79); // not asked for its second sample
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(4, 7)]
    public async Task A_request_that_is_refused_from_the_first_stops_with_its_reason(int concurrency, int most)
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(400, "Unrecognized request argument supplied: seed"));
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, concurrency));
        fault.Message.ShouldContain("Set send_seed to false.");
        fault.Message.ShouldContain("has answered none");
        server.Calls.Count.ShouldBeLessThanOrEqualTo(most);
    }

    [Fact]
    public async Task Refusals_of_most_questions_stop_and_leave_no_row_of_their_own()
    {
        await using var server = await ChatServer.StartAsync(
            (context, number) => (number < 15 ? Answers.Streamed("12") : Answers.Status(400, "quite suddenly"))(context));
        var parts = new List<TracePart>();
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, 1, parts: parts));
        fault.Message.ShouldContain("11 of the last 20 questions");
        server.Calls.Count.ShouldBe(15 + 11);
        parts.SelectMany(part => part.Traces).ShouldAllBe(trace => trace.StopReason == "stop");
        await using var healed = await ChatServer.StartAsync(Answers.Streamed("12"));
        (await CollectAsync(healed, 1)).ShouldAllBe(trace => trace.Answer == "12");
        healed.Calls.Count.ShouldBe(40 - 15);
    }

    [Fact]
    public async Task Refusals_of_most_of_a_few_questions_stop_at_the_end()
    {
        await using var server = await ServerThatRefuses([.. Problems.Skip(1).Take(3).Select(problem => problem.Text)]);
        (await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, 1, count: 5)))
            .Message.ShouldContain("refused 3 questions and answered 2");
    }

    [Fact]
    public async Task Many_samples_of_a_refused_question_count_once()
    {
        await using var server = await ServerThatRefuses([Problems[1].Text]);
        var traces = await CollectAsync(server, 1, samples: 32, count: 4);
        traces.Count(trace => trace.StopReason == "rejected").ShouldBe(32);
    }

    [Fact]
    public async Task What_was_dropped_costs_nothing_and_is_asked_again_by_another_run()
    {
        await using var server = await ServerThatRefuses([Problems[0].Text, Problems[2].Text]);
        await CollectAsync(server, 1);
        await using var again = await ServerThatRefuses([Problems[0].Text, Problems[2].Text]);
        (await CollectAsync(again, 1)).Count(trace => trace.StopReason == "rejected").ShouldBe(2);
        again.Calls.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(402)]
    public async Task What_no_question_is_to_blame_for_stops_at_once(int status)
    {
        await using var server = await ChatServer.StartAsync(
            (context, number) => (number == 30 ? Answers.Status(status) : Answers.Streamed("12"))(context));
        (await Should.ThrowAsync<RemoteTeacherException>(() => CollectAsync(server, 1))).Status.ShouldBe(status);
        server.Calls.Count.ShouldBe(31);
    }

    [Fact]
    public async Task Refusal_filter_and_tool_call_have_reasons_and_texts_of_their_own()
    {
        string[] bodies =
        [
            """{"choices":[{"message":{"content":"","refusal":"I cannot help"},"finish_reason":"stop"}]}""",
            """
            {"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"look","arguments":"{}"}}]},
             "finish_reason":"tool_calls"}]}
            """,
            """{"choices":[{"message":{"content":"half"},"finish_reason":"content_filter"}]}""",
            """{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}""",
        ];
        await using var server = await ChatServer.StartAsync(
            [.. bodies.Select(body => Answers.Json(body)), Answers.Status(400, "bad words", "content_filter")]);
        var traces = await CollectAsync(server, 1, count: 5);
        traces.Select(trace => (trace.StopReason, trace.Answer)).ShouldBe(
            [("refusal", null), ("tool_calls", null), ("content_filter", null), ("empty", null), ("content_filter", null)]);
        string[] words = ["I cannot help", "look({})", "content filter ended", "empty answer", "bad words"];
        foreach (var (trace, word) in traces.Zip(words)) trace.Refusal.ShouldNotBeNull().ShouldContain(word);
        string path = Path.Combine(folder, "part.parquet");
        TraceFile.Write(path, traces);
        TraceFile.Read(path).Select(trace => trace.Refusal).ShouldBe(traces.Select(trace => trace.Refusal));
    }

    private static Task<ChatServer> ServerThatRefuses(string[] texts) => ChatServer.StartAsync((context, _, call) =>
        (texts.Contains(call.Prompt) ? Answers.Status(400, "no such questions") : Answers.Streamed("12"))(context));

    private async Task<IReadOnlyList<Trace>> CollectAsync(
        ChatServer server, int concurrency, int samples = 1, int count = 40, List<TracePart>? parts = null)
    {
        using var client = TestClient.Patient(server, new HurriedClock(), new CallOptions { Concurrency = concurrency });
        var options = new RemoteTraceOptions
        {
            Seed = 1, Teacher = "teacher-1", Address = "http://teacher.test/v1", MaxTokens = 64, ProblemsPerPart = 4, Samples = samples,
            Concurrency = concurrency,
        };
        parts ??= [];
        var collection = new RemoteTraceCollection(client, options, new CompletionStore(Path.Combine(folder, "store")));
        await collection.RunAsync([.. Problems.Take(count)], _ => false, parts.Add, cancellation: TestContext.Current.CancellationToken);
        firstReason = collection.Rejected.FirstReason;
        return [.. parts.OrderBy(part => part.Index).SelectMany(part => part.Traces)];
    }
}
