using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Tests.Calls;

/// <summary>Hedging, concurrency, and clients that are not ours.</summary>
public sealed class ResilientChatClientTests
{
    [Fact]
    public async Task Hedging_is_off_unless_asked_for_and_then_takes_the_first_answer()
    {
        new CallOptions().HedgeAfter.ShouldBeNull();
        await using var server = await ChatServer.StartAsync(Answers.Stall(), Answers.Streamed("4"));
        using var client = TestClient.Patient(server, new HurriedClock(), new CallOptions { HedgeAfter = TimeSpan.FromSeconds(30) });
        (await client.AskAsync()).Text.ShouldBe("4");
        client.Usage.ShouldBe(new RemoteUsage(1, 2, 11, 7, 3, 0));
    }

    [Fact]
    public async Task No_more_requests_are_under_way_than_allowed()
    {
        using var gate = new SemaphoreSlim(0);
        int now = 0, most = 0;
        await using var server = await ChatServer.StartAsync(async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await gate.WaitAsync(context.RequestAborted);
            Interlocked.Decrement(ref now);
            await Answers.Streamed("4")(context);
        });
        using var client = TestClient.Patient(server, TimeProvider.System, new CallOptions { Concurrency = 2 });
        var asked = Enumerable.Range(0, 6).Select(_ => client.AskAsync()).ToList();
        gate.Release(6);
        await Task.WhenAll(asked);
        most.ShouldBeInRange(1, 2);
    }

    [Fact]
    public async Task Any_chat_client_can_be_wrapped_and_say_what_its_faults_mean()
    {
        int calls = 0;
        using var inner = new ScriptedClient(
            () => ++calls == 1 ? throw new NotSupportedException("busy") : new ChatResponse(new ChatMessage(ChatRole.Assistant, "4")));
        using var client = new ResilientChatClient(
            inner, new CallOptions(), new HurriedClock(), () => 0.5,
            fault => fault is NotSupportedException ? new RemoteTeacherException(RemoteFaultKind.Busy, "busy") : null);
        (await client.AskAsync()).Text.ShouldBe("4");
        calls.ShouldBe(2);
        client.Usage.Uncounted.ShouldBe(1);
    }

    [Fact]
    public async Task Faults_that_nobody_knows_pass_through_at_once()
    {
        using var inner = new ScriptedClient(() => throw new NotSupportedException("a bug"));
        using var client = new ResilientChatClient(inner, new CallOptions(), new HurriedClock());
        await Should.ThrowAsync<NotSupportedException>(() => client.AskAsync());
        client.Usage.Attempts.ShouldBe(1);
    }

    [Fact]
    public void Options_that_cannot_work_are_named_all_at_once()
    {
        using var inner = new ScriptedClient(() => throw new NotSupportedException());
        var wrong = new CallOptions
        {
            Concurrency = 0, Retries = -1, FirstDelay = TimeSpan.Zero, AttemptTimeout = TimeSpan.Zero, RequestsPerMinute = -1,
            TokensPerMinute = -1, BreakerFailures = 0,
        };
        var fault = Should.Throw<ArgumentException>(() => new ResilientChatClient(inner, wrong));
        foreach (
            string name in (string[])[
                "Concurrency 0", "Retries -1", "FirstDelay", "AttemptTimeout", "RequestsPerMinute -1", "TokensPerMinute -1",
                "BreakerFailures 0"])
            fault.Message.ShouldContain(name);
    }
}
