using CsCheck;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Teacher.Remote.Tests.Calls;

public sealed class PaceTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void In_no_sixty_seconds_is_more_let_through_than_the_limit() =>
        Gen.Select(Gen.Long[1, 50], Gen.Int[1, 60].Array[1, 200]).Sample((limit, amounts) =>
        {
            var clock = new FakeTimeProvider();
            var window = new MinuteWindow(limit, clock);
            var began = clock.GetUtcNow();
            var admitted = new List<(TimeSpan Time, long Amount)>();
            foreach (int amount in amounts)
            {
                while (window.WaitFor(amount) is var wait && wait > TimeSpan.Zero) clock.Advance(wait);
                window.Add(amount);
                admitted.Add((clock.GetUtcNow() - began, amount));
            }

            foreach (var first in admitted)
            {
                var together = admitted.Where(entry => entry.Time >= first.Time && entry.Time < first.Time + Minute).ToList();
                long sum = together.Sum(entry => entry.Amount);
                (sum <= limit || together.Count == 1).ShouldBeTrue($"{sum} of {limit}");
            }
        });

    [Fact]
    public void What_fits_does_not_wait()
    {
        var window = new MinuteWindow(10, new FakeTimeProvider());
        for (int i = 0; i < 10; i++)
        {
            window.WaitFor(1).ShouldBe(TimeSpan.Zero);
            window.Add(1);
        }

        window.WaitFor(1).ShouldBe(Minute);
    }

    [Fact]
    public async Task Requests_of_the_second_minute_wait_for_it()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4"));
        var clock = new HurriedClock();
        using var client = TestClient.Patient(server, clock, new CallOptions { RequestsPerMinute = 3 });
        for (int i = 0; i < 3; i++) await client.AskAsync();
        clock.Waits.ShouldBeEmpty();
        await client.AskAsync();
        clock.Waits.ShouldBe([Minute]);
    }

    [Fact]
    public async Task Tokens_are_estimated_before_and_corrected_after()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4"));
        var clock = new HurriedClock();
        long most = TokenUse.AtMost([new(ChatRole.User, "What is 2 + 2?")], new ChatOptions { MaxOutputTokens = 64 });
        most.ShouldBeGreaterThan(64 + "What is 2 + 2?".Length);
        // Room for one estimate and three real uses of 18: without the correction the second request would wait.
        using var client = TestClient.Patient(server, clock, new CallOptions { TokensPerMinute = (int)most + 3 * 18 });
        for (int i = 0; i < 4; i++) await client.AskAsync();
        clock.Waits.ShouldBeEmpty();
        await client.AskAsync();
        clock.Waits.ShouldBe([Minute]);
    }

    [Fact]
    public async Task A_correction_lets_those_through_who_wait()
    {
        using var pace = new Pace(new CallOptions { TokensPerMinute = 100 }, new FakeTimeProvider());
        var first = await pace.EnterAsync(90, TestContext.Current.CancellationToken);
        var second = pace.EnterAsync(50, TestContext.Current.CancellationToken);
        second.IsCompleted.ShouldBeFalse();
        pace.Correct(first, 10);
        await second; // on a clock that stands still
    }

    [Fact]
    public async Task A_request_above_the_limit_goes_alone()
    {
        var clock = new FakeTimeProvider();
        using var pace = new Pace(new CallOptions { TokensPerMinute = 100 }, clock);
        await pace.EnterAsync(5_000, TestContext.Current.CancellationToken);
        var next = pace.EnterAsync(1, TestContext.Current.CancellationToken);
        next.IsCompleted.ShouldBeFalse();
        clock.Advance(Minute);
        await next;
    }

    [Fact]
    public async Task A_pause_holds_everybody()
    {
        var clock = new FakeTimeProvider();
        using var pace = new Pace(new CallOptions(), clock);
        pace.Pause(TimeSpan.FromSeconds(40));
        pace.Pause(TimeSpan.FromSeconds(5)); // a shorter one does not shorten it
        var waiting = pace.EnterAsync(1, TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(39));
        waiting.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(1));
        await waiting;
    }

    [Fact]
    public async Task Cancelling_a_wait_lets_the_next_one_have_its_turn()
    {
        using var pace = new Pace(new CallOptions { TokensPerMinute = 10 }, new FakeTimeProvider());
        await pace.EnterAsync(9, TestContext.Current.CancellationToken);
        using var end = new CancellationTokenSource();
        var cancelled = pace.EnterAsync(5, end.Token);
        var next = pace.EnterAsync(1, TestContext.Current.CancellationToken); // would fit, but those who came first go first
        next.IsCompleted.ShouldBeFalse();
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        await next;
    }

    [Fact]
    public void Cost_is_counted_in_millions_of_tokens() =>
        new TokenPrices(0.5m, 2m).CostOf(new RemoteUsage(1, 1, 3_000_000, 1_500_000, 1_000_000, 0)).ShouldBe(4.5m);
}
