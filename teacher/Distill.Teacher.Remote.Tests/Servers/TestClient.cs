using System.Collections.Concurrent;
using System.Threading.Channels;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Teacher.Remote.Tests.Servers;

/// <summary>Clients for the server of a test.</summary>
internal static class TestClient
{
    public const string Variable = "TEACHER_TEST_KEY";

    public static ApiKey Key { get; } = ApiKey.FromEnvironment(Variable, _ => Answers.Key);

    public static EndpointOptions Options(ChatServer server) => new()
    {
        Address = server.Address, Model = "teacher-1", Network = NetworkScope.Loopback,
    };

    public static CompatibleChatClient Plain(ChatServer server, TimeProvider? clock = null) => new(Options(server), Key, clock);

    /// <summary>Without jitter: every delay is the mean one.</summary>
    public static ResilientChatClient Patient(ChatServer server, TimeProvider clock, CallOptions? options = null) =>
        new(Plain(server, clock), options ?? new CallOptions(), clock, () => 0.5);

    public static Task<ChatResponse> AskAsync(
        this IChatClient client, string prompt = "What is 2 + 2?", CancellationToken? cancellation = null) =>
        client.GetResponseAsync(
            [new(ChatRole.User, prompt)], new ChatOptions { MaxOutputTokens = 64, Temperature = 0.5f, TopP = 1, Seed = 0x1_0000_0005 },
            cancellation ?? TestContext.Current.CancellationToken);
}

/// <summary>A chat client that is not ours.</summary>
internal sealed class ScriptedClient(Func<ChatResponse> answer) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return answer();
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}

/// <summary>
/// A clock on which waits take no time: whoever sets a timer shorter than the patience given finds that time has moved on by as much.
/// Longer ones (timeouts of attempts) go off only when a test moves the clock. Notes every wait, so that tests are about times and take
/// none.
/// </summary>
internal sealed class HurriedClock(TimeSpan patience) : FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
{
    private readonly ConcurrentQueue<TimeSpan> waits = new();
    private readonly Channel<TimeSpan> timers = Channel.CreateUnbounded<TimeSpan>();

    public HurriedClock()
        : this(TimeSpan.FromMinutes(10))
    {
    }

    /// <summary>Every wait that was hurried through, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. waits];

    /// <summary>Ends when somebody has set a timer of this length.</summary>
    public async Task TimerOf(TimeSpan length)
    {
        await foreach (var set in timers.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
            if (set == length) return;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        timers.Writer.TryWrite(dueTime);
        if (dueTime <= TimeSpan.Zero || dueTime >= patience) return timer;
        waits.Enqueue(dueTime);
        _ = Task.Run(() => Advance(dueTime));
        return timer;
    }
}
