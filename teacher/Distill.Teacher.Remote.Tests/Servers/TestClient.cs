using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;
using Microsoft.Extensions.AI;

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
