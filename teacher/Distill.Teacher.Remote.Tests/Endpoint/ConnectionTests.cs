using System.Net;
using System.Net.Sockets;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;
using Distill.Teacher.Remote.Tests.Servers;

namespace Distill.Teacher.Remote.Tests.Endpoint;

/// <summary>Where connections go, and where they do not.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var victim = await ChatServer.StartAsync(Answers.Streamed("4"));
        await using var server = await ChatServer.StartAsync(Answers.Status(307, location: victim.Address + "/chat/completions"));
        using var client = TestClient.Plain(server);
        var fault = await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync());
        fault.ShouldBe(RemoteFaultKind.Redirected, "redirects to http://127.0.0.1, and redirects are not followed");
        victim.Calls.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(NetworkScope.Public, false)]
    [InlineData(NetworkScope.Loopback, true)]
    [InlineData(NetworkScope.Private, true)]
    public async Task A_name_is_judged_by_the_address_it_has_when_connecting(NetworkScope scope, bool isReached)
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4"));
        using var http = new HttpClient(GuardedConnection.CreateHandler(scope));
        Task<HttpResponseMessage> Send() => http.GetAsync(
            new Uri(server.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)), TestContext.Current.CancellationToken);
        if (isReached) (await Send()).Dispose();
        else
            (await Should.ThrowAsync<HttpRequestException>(Send)).InnerException.ShouldBeOfType<RemoteTeacherException>()
                .ShouldBe(RemoteFaultKind.ForbiddenAddress, "localhost");
        server.Calls.Count.ShouldBe(isReached ? 1 : 0);
    }

    [Fact]
    public async Task Nobody_listening_is_unreachable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var client = new CompatibleChatClient(
            new EndpointOptions { Address = $"http://127.0.0.1:{port}/v1", Model = "m", Network = NetworkScope.Loopback }, TestClient.Key);
        (
            await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).ShouldBe(RemoteFaultKind.Unreachable,
            "cannot be reached");
    }

    [Fact]
    public async Task A_server_without_a_certificate_is_refused()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4"));
        using var client = new CompatibleChatClient(
            TestClient.Options(server) with { Address = server.Address.Replace("http:", "https:", StringComparison.Ordinal) },
            TestClient.Key);
        (
            await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).ShouldBe(RemoteFaultKind.Refused,
            "No secure connection");
        server.Calls.ShouldBeEmpty();
    }
}
