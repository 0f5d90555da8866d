using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Teacher.Remote.Tests.Calls;

/// <summary>Patience, over real connections and on a clock that hurries through every wait and notes it.</summary>
public sealed class ResilienceTests
{
    private static readonly CallOptions Steady = new() { BreakerAttempts = 10_000 };

    [Fact]
    public async Task Passing_faults_are_repeated_with_growing_waits()
    {
        await using var server = await ChatServer.StartAsync(
            Answers.Status(500), Answers.Status(503), Answers.CutOff("{", "application/json"), Answers.Streamed("4"));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock);
        (await client.AskAsync()).Text.ShouldBe("4");
        server.Calls.Count.ShouldBe(4);
        clock.Waits.Count.ShouldBe(3);
        clock.Waits.ShouldBe(clock.Waits.Order());
        client.Usage.ShouldBe(new RemoteUsage(1, 4, 11, 7, 3, 0));
    }

    [Fact]
    public async Task Waits_have_jitter_and_a_longest()
    {
        async Task<IReadOnlyList<TimeSpan>> WaitsAt(double jitter)
        {
            await using var server = await ChatServer.StartAsync(Answers.Status(500));
            var clock = new HurriedClock();
            using var client = new ResilientChatClient(TestClient.Plain(server, clock), Steady with { Retries = 9 }, clock, () => jitter);
            await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync());
            server.Calls.Count.ShouldBe(10);
            return clock.Waits;
        }

        var some = await WaitsAt(0.2);
        var other = await WaitsAt(0.8);
        some[0].ShouldNotBe(other[0]);
        some[^1].ShouldBe(Steady.LongestDelay);
        some.Max().ShouldBe(Steady.LongestDelay);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(302)]
    public async Task What_will_not_pass_is_asked_once(int status)
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(status));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock);
        await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync());
        server.Calls.Count.ShouldBe(1);
        clock.Waits.ShouldBeEmpty();
    }

    [Fact]
    public async Task Retry_after_in_seconds_is_honoured()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(429, retryAfter: "77"), Answers.Streamed("4"));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock);
        await client.AskAsync();
        clock.Waits.ShouldContain(TimeSpan.FromSeconds(77));
        (clock.GetUtcNow() - clock.Start).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(77));
    }

    [Fact]
    public async Task Retry_after_as_a_date_is_honoured_by_the_injected_clock()
    {
        var clock = new HurriedClock();
        await using var server = await ChatServer.StartAsync(
            Answers.Status(503, retryAfter: Answers.Date(clock.GetUtcNow().AddSeconds(95))), Answers.Streamed("4"));
        using var client = TestClient.Patient(server, clock);
        await client.AskAsync();
        clock.Waits.ShouldContain(TimeSpan.FromSeconds(95));
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("0")]
    [InlineData("soon")]
    [InlineData("Sun, 01 Jan 2017 00:00:00 GMT")]
    public async Task A_senseless_retry_after_does_no_harm(string value)
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(429, retryAfter: value), Answers.Streamed("4"));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock);
        (await client.AskAsync()).Text.ShouldBe("4");
        clock.Waits.ShouldHaveSingleItem().ShouldBeGreaterThan(TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task An_endpoint_that_wants_to_be_left_alone_for_longer_than_allowed_is_given_up()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(429, retryAfter: "86400"));
        using var client = TestClient.Patient(server, new HurriedClock());
        (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).RetryAfter.ShouldBe(TimeSpan.FromDays(1));
        server.Calls.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stalled_attempt_ends_at_its_timeout_and_is_repeated()
    {
        var reached = new TaskCompletionSource();
        await using var server = await ChatServer.StartAsync(Answers.Stall(reached), Answers.Streamed("4"));
        var clock = new HurriedClock(); // its patience is the timeout: only the test lets it pass
        using var client = TestClient.Patient(server, clock);
        var asked = client.AskAsync();
        await reached.Task;
        clock.Advance(Steady.AttemptTimeout - TimeSpan.FromSeconds(1));
        server.Calls.Count.ShouldBe(1);
        asked.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await asked).Text.ShouldBe("4");
        client.Usage.Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task The_last_timeout_says_what_timed_out()
    {
        var reached = new TaskCompletionSource();
        await using var server = await ChatServer.StartAsync(Answers.Stall(reached));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock, Steady with { Retries = 0 });
        var asked = client.AskAsync();
        await reached.Task;
        clock.Advance(Steady.AttemptTimeout);
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => asked);
        fault.Kind.ShouldBe(RemoteFaultKind.TimedOut);
        fault.Message.ShouldContain("600 s");
    }

    [Fact]
    public async Task Cancelling_ends_an_attempt_in_flight()
    {
        var reached = new TaskCompletionSource();
        await using var server = await ChatServer.StartAsync(Answers.Stall(reached));
        using var client = TestClient.Patient(server, new HurriedClock());
        using var end = new CancellationTokenSource();
        var asked = client.AskAsync(cancellation: end.Token);
        await reached.Task;
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => asked);
        client.Usage.Attempts.ShouldBe(1);
    }

    [Fact]
    public async Task Cancelling_ends_a_wait()
    {
        // beyond the clock's patience: waits for good
        await using var server = await ChatServer.StartAsync(Answers.Status(429, retryAfter: "700"));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock);
        using var end = new CancellationTokenSource();
        var asked = client.AskAsync(cancellation: end.Token);
        await clock.TimerOf(TimeSpan.FromSeconds(700));
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => asked);
    }
}

/// <summary>An endpoint that keeps failing is left alone for a while.</summary>
public sealed class CircuitTests
{
    [Fact]
    public async Task The_circuit_opens_keeps_requests_back_and_closes_again()
    {
        bool isBroken = true;
        await using var server = await ChatServer.StartAsync(
            (context, _) => (isBroken ? Answers.Status(500) : Answers.Streamed("4"))(context));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(
            server, clock, new CallOptions { Retries = 0, BreakerAttempts = 4, BreakerWindow = TimeSpan.FromHours(1) });
        for (int i = 0; i < 4; i++)
            (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).Kind.ShouldBe(RemoteFaultKind.ServerFault);
        for (int i = 0; i < 3; i++)
            (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).Kind.ShouldBe(RemoteFaultKind.CircuitOpen);
        server.Calls.Count.ShouldBe(4);
        isBroken = false;
        clock.Advance(TimeSpan.FromSeconds(30));
        (await client.AskAsync()).Text.ShouldBe("4");
        server.Calls.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_retry_waits_until_the_circuit_closes()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(500), Answers.Status(500), Answers.Streamed("4"));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(
            server, clock,
            new CallOptions { FirstDelay = TimeSpan.FromMilliseconds(10), BreakerAttempts = 2, BreakerWindow = TimeSpan.FromHours(1) });
        (await client.AskAsync()).Text.ShouldBe("4");
        server.Calls.Count.ShouldBe(3);
        (clock.GetUtcNow() - clock.Start).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Being_told_to_slow_down_does_not_open_the_circuit()
    {
        await using var server = await ChatServer.StartAsync(
            (context, number) => (number < 8 ? Answers.Status(429) : Answers.Streamed("4"))(context));
        using var client = TestClient.Patient(
            server, new HurriedClock(), new CallOptions { Retries = 8, BreakerAttempts = 2, BreakerWindow = TimeSpan.FromHours(1) });
        (await client.AskAsync()).Text.ShouldBe("4");
    }
}
