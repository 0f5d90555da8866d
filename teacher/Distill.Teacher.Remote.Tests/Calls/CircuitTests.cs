using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Teacher.Remote.Tests.Calls;

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
