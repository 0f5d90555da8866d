using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Teacher.Remote.Tests.Collection;

/// <summary>Verdicts and budgets decide what an endpoint is asked; nothing is asked beyond them, and nothing twice.</summary>
public sealed class AdaptiveCollectionTests : IDisposable
{
    private static readonly IReadOnlyList<Problem> Problems = ProblemSet.Generate(
        [new ProblemSetPart("arithmetic", 1, 1)], 5, Split.Train, 24);

    private readonly string folder = Directory.CreateTempSubdirectory("distill-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public async Task Solved_and_hopeless_problems_are_asked_no_more(int concurrency)
    {
        await using var server = await ChatServer.StartAsync(BySeed);
        var all = await CollectAsync(server, Options() with { Concurrency = concurrency }, "all");
        all.Count.ShouldBe(24 * 6);
        int before = server.Calls.Count;
        var policy = new SamplingPolicy { Samples = 6, Accepted = 1, GiveUpAfter = 4 };
        var some = await CollectAsync(server, Options() with { Concurrency = concurrency, Policy = policy }, "some");
        (server.Calls.Count - before).ShouldBe(some.Count);
        foreach (var problem in all.GroupBy(trace => trace.Problem.Id))
        {
            var rows = some.Where(trace => trace.Problem.Id == problem.Key).Select(Row).ToList();
            rows.ShouldBe(problem.Take(rows.Count).Select(Row));
            int right = problem.Take(rows.Count).Count(IsRight);
            (right == 1 && IsRight(problem.ElementAt(rows.Count - 1)) || right == 0 && rows.Count == 4).ShouldBeTrue();
        }

        some.Select(trace => trace.SampleIndex).Max().ShouldBeGreaterThan(0);
        await CollectAsync(server, Options() with { Policy = policy }, "all");
        server.Calls.Count.ShouldBe(before + some.Count); // every completion was kept
    }

    [Theory]
    [InlineData(1, 0.0101)]
    [InlineData(6, 0.0101)]
    [InlineData(6, 0.002)]
    public async Task A_cost_is_never_exceeded_whatever_is_under_way(int concurrency, double cost)
    {
        var prices = new TokenPrices(1, 10); // 11 prompt and 7 completion tokens: 81 millionths a completion
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12", "5 + 7 = 12"));
        var options = Options() with { Concurrency = concurrency, Prices = prices, Budget = new SampleBudget(null, (decimal)cost) };
        var traces = await CollectAsync(server, options, "paid");
        traces.Sum(trace => prices.CostOf(trace.PromptTokens, trace.CompletionTokens)).ShouldBeLessThanOrEqualTo((decimal)cost);
        server.Calls.Count.ShouldBe(traces.Count);
        traces.Count.ShouldBeLessThan(24 * 6);
        if (cost > 0.01) traces.Count.ShouldBeGreaterThan(30);
        var more = await CollectAsync(server, options with { Budget = new SampleBudget(null, 1) }, "paid");
        more.Count.ShouldBe(24 * 6);
        server.Calls.Count.ShouldBe(24 * 6);
    }

    [Fact]
    public async Task After_the_deadline_what_is_under_way_ends_and_parts_end_with_what_there_is()
    {
        using var deadline = new CancellationTokenSource();
        await using var server = await ChatServer.StartAsync((context, number, call) =>
        {
            if (number == 10) deadline.Cancel();
            return BySeed(context, number, call);
        });
        var traces = await CollectAsync(server, Options() with { Concurrency = 3 }, "late", deadline.Token);
        traces.Count.ShouldBe(server.Calls.Count);
        traces.Count.ShouldBeInRange(11, 14);
        (await CollectAsync(server, Options(), "late")).Count.ShouldBe(24 * 6);
        server.Calls.Count.ShouldBe(24 * 6);
    }

    [Fact]
    public async Task A_refused_question_holds_up_no_round()
    {
        await using var server = await ChatServer.StartAsync((context, number, call) =>
            call.Prompt == Problems[5].Text ? Answers.Status(400, "no such questions")(context) : BySeed(context, number, call));
        var options = Options() with { Concurrency = 2, Policy = new SamplingPolicy { Samples = 6, Accepted = 1, GiveUpAfter = 3 } };
        var traces = await CollectAsync(server, options, "refused");
        traces.Count(trace => trace.Problem.Id == Problems[5].Id).ShouldBe(3);
        traces.Where(trace => trace.Problem.Id == Problems[5].Id).ShouldAllBe(trace => trace.Refusal != null);
        traces.GroupBy(trace => trace.Problem.Id).Count().ShouldBe(24);
    }

    [Fact]
    public async Task A_fault_of_the_judge_is_no_refusal_by_the_teacher()
    {
        await using var server = await ChatServer.StartAsync(BySeed);
        using var client = TestClient.Patient(server, new HurriedClock(), new CallOptions());
        var options = Options() with
        {
            Concurrency = 1, Policy = new SamplingPolicy { Samples = 6, Accepted = 1 },
            IsRight = _ => throw new RemoteTeacherException(RemoteFaultKind.Refused, "the judge says no") { Status = 400 },
        };
        var collection = new RemoteTraceCollection(client, options, new CompletionStore(Path.Combine(folder, "judged")));
        var fault = await Should.ThrowAsync<RemoteTeacherException>(
            () => collection.RunAsync(Problems, _ => false, _ => { }, null, TestContext.Current.CancellationToken));
        (fault.Message, collection.Rejected.Count, server.Calls.Count).ShouldBe(("the judge says no", 0, 1));
        (await CollectAsync(server, Options(), "judged")).Count.ShouldBe(24 * 6);
        server.Calls.Count.ShouldBe(24 * 6);
    }

    [Fact]
    public async Task Examples_are_turns_before_the_question_and_part_of_its_name()
    {
        await using var server = await ChatServer.StartAsync((context, number, call) => Answers.Streamed("12")(context));
        var options = Options() with { Instructions = "Think.", Samples = 1 };
        await CollectAsync(server, options, "shown");
        var shown = options with { Examples = [Tokenization.ChatMessage.User("1 + 1?"), Tokenization.ChatMessage.Assistant("2")] };
        await CollectAsync(server, shown, "shown");
        server.Calls.Count.ShouldBe(2 * 24);
        var messages = server.Calls[^1].Body["messages"]!.AsArray();
        messages.Select(message => message!["role"]!.GetValue<string>()).ShouldBe(["system", "user", "assistant", "user"]);
        messages[2]!["content"]!.GetValue<string>().ShouldBe("2");
        await CollectAsync(server, shown, "shown");
        server.Calls.Count.ShouldBe(2 * 24);
    }

    [Fact]
    public async Task Problems_are_read_a_few_parts_ahead()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("12"));
        using var client = TestClient.Patient(server, new HurriedClock(), new CallOptions { Concurrency = 2 });
        int open = 0, most = 0;
        var all = new RemoteProblems(24, part =>
        {
            most = Math.Max(most, ++open);
            return [.. Problems.Skip(part * 4).Take(4)];
        });
        var store = new CompletionStore(Path.Combine(folder, "few"));
        await new RemoteTraceCollection(client, Options() with { Concurrency = 2 }, store).RunAsync(
            all, _ => false, _ => open--, null, CancellationToken.None, TestContext.Current.CancellationToken);
        (open, most).ShouldBe((0, 2));
    }

    // An endpoint that follows its seeds: a third of the answers is right, some problems have none.
    private static Task BySeed(HttpContext context, int number, ChatCall call)
    {
        ulong drawn = SeedSequence.Derive(7, (ulong)call.Body["seed"]!.GetValue<long>(), 1);
        string text = (drawn % 3 == 0 ? "right " : "wrong ") + (drawn % 1000).ToString(CultureInfo.InvariantCulture);
        return Answers.Streamed(text)(context);
    }

    private static bool IsRight(Trace trace) => trace.Answer?.StartsWith("right", StringComparison.Ordinal) ?? false;

    private static string Row(Trace trace) => $"{trace.Problem.Id} {trace.SampleIndex} {trace.Seed} {trace.Answer}";

    private static RemoteTraceOptions Options() => new()
    {
        Seed = 1, Teacher = "teacher-1", Address = "http://teacher.test/v1", Samples = 6, MaxTokens = 64, ProblemsPerPart = 4,
        IsRight = IsRight,
    };

    private async Task<List<Trace>> CollectAsync(
        ChatServer server, RemoteTraceOptions options, string store, CancellationToken deadline = default)
    {
        using var client = TestClient.Patient(server, new HurriedClock(), new CallOptions { Concurrency = options.Concurrency });
        var parts = new List<TracePart>();
        await new RemoteTraceCollection(client, options, new CompletionStore(Path.Combine(folder, store))).RunAsync(
            RemoteProblems.Of(Problems, options.ProblemsPerPart), _ => false, parts.Add, null, deadline,
            TestContext.Current.CancellationToken);
        return [.. parts.OrderBy(part => part.Index).SelectMany(part => part.Traces)];
    }
}
