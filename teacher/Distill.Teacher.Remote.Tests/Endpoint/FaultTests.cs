using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Network;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Teacher.Remote.Tests.Endpoint;

/// <summary>Everything an endpoint can do to us, one attempt each.</summary>
public sealed class FaultTests
{
    private const string EventStream = "text/event-stream", WholeJson = "application/json";

    private const string Piece = """data: {"choices":[{"delta":{"content":"The answer is 4"}}]}""" + "\n\n";

    [Theory]
    [InlineData(EventStream, Piece)]
    [InlineData(EventStream, Piece + """data: {"choices":[{"delta":{"con""")]
    [InlineData(WholeJson, """{"choices":[{"message":{"content":"The ans""")]
    public async Task An_answer_whose_connection_breaks_is_damaged(string type, string beginning) =>
        (await FaultOf(Answers.CutOff(beginning, type))).ShouldBe(RemoteFaultKind.Damaged, "broke its answer off");

    [Fact]
    public async Task An_answer_that_ends_cleanly_without_a_finish_reason_is_damaged() =>
        (await FaultOf(Answers.Body(Piece, EventStream))).ShouldBe(RemoteFaultKind.Damaged, "no finish reason");

    [Theory]
    [InlineData(WholeJson, "{\"choices\":[")]
    [InlineData(WholeJson, "")]
    [InlineData(WholeJson, "[]")]
    [InlineData(WholeJson, "{\"object\":\"list\"}")]
    [InlineData(WholeJson, "{\"choices\":[]}")]
    [InlineData(EventStream, "data: {oops\n\n")]
    [InlineData(EventStream, "")]
    public async Task What_is_no_completion_is_damaged(string type, string body) =>
        (await FaultOf(Answers.Body(body, type))).Kind.ShouldBe(RemoteFaultKind.Damaged);

    [Fact]
    public async Task Deep_nesting_is_damaged_and_not_a_crash() =>
        (await FaultOf(Answers.Json(new string('[', 100_000)))).Kind.ShouldBe(RemoteFaultKind.Damaged);

    [Fact]
    public async Task A_page_instead_of_JSON_is_refused_with_a_hint() =>
        (await FaultOf(Answers.Body("<html>welcome</html>", "text/html"))).ShouldBe(RemoteFaultKind.Refused, "does it need /v1?");

    [Theory]
    [InlineData(WholeJson)]
    [InlineData(EventStream)]
    public async Task A_body_without_end_is_cut_at_the_limit(string type)
    {
        Task Endless(HttpContext context)
        {
            context.Response.ContentType = type;
            return SendForeverAsync(context);
        }

        var fault = await FaultOf(Endless, options => options with { MaxResponseBytes = 1 << 20 });
        fault.ShouldBe(RemoteFaultKind.TooLarge, "1,048,576 bytes");
    }

    [Theory]
    [InlineData(400, "", RemoteFaultKind.Refused)]
    [InlineData(404, "", RemoteFaultKind.Refused)]
    [InlineData(402, "", RemoteFaultKind.Refused)]
    [InlineData(408, "", RemoteFaultKind.ServerFault)]
    [InlineData(429, "rate_limit_exceeded", RemoteFaultKind.Busy)]
    [InlineData(429, "insufficient_quota", RemoteFaultKind.Refused)]
    [InlineData(500, "", RemoteFaultKind.ServerFault)]
    [InlineData(503, "", RemoteFaultKind.ServerFault)]
    [InlineData(501, "", RemoteFaultKind.Refused)]
    public async Task A_status_says_whether_to_try_again(int status, string code, RemoteFaultKind kind)
    {
        var fault = await FaultOf(Answers.Status(status, "because\u001b[2J", code));
        fault.Kind.ShouldBe(kind);
        fault.Status.ShouldBe(status);
        fault.Message.ShouldContain("It says: because");
        fault.Message.ShouldNotContain("\u001b");
    }

    [Theory]
    [InlineData("""{"error":{"message":"overloaded","code":503}}""", RemoteFaultKind.ServerFault)]
    [InlineData("""{"error":{"message":"slow down","code":429}}""", RemoteFaultKind.Busy)]
    [InlineData("""{"error":{"message":"too long","code":400}}""", RemoteFaultKind.Refused)]
    [InlineData("""{"object":"error","message":"out of memory"}""", RemoteFaultKind.ServerFault)]
    [InlineData("""{"error":"broken"}""", RemoteFaultKind.ServerFault)]
    public async Task An_error_in_the_middle_of_an_answer_is_no_text(string error, RemoteFaultKind kind) =>
        (await FaultOf(Answers.Body(Piece + $"data: {error}\n\n", EventStream))).ShouldBe(kind, "error in its answer");

    [Fact]
    public async Task A_refused_key_is_named_by_its_variable()
    {
        var fault = await FaultOf(Answers.Status(401, $"Incorrect API key provided: {Answers.Key}"));
        fault.ShouldBe(RemoteFaultKind.Refused, $"does not accept the key in the environment variable {TestClient.Variable}");
    }

    [Fact]
    public async Task A_missing_key_is_asked_for()
    {
        await using var server = await ChatServer.StartAsync(Answers.Status(401));
        using var client = new CompatibleChatClient(TestClient.Options(server), key: null);
        (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).Message.ShouldContain("api_key_env");
    }

    [Fact]
    public async Task The_key_is_nowhere_in_what_is_thrown_or_answered()
    {
        string padding = new('x', 290);
        (Func<HttpContext, Task> Answer, bool Fails)[] echoes =
        [
            (Answers.Status(401, $"bad key {Answers.Key}"), true),
            (Answers.Status(400, padding + Answers.Key), true), // the cut at 300 characters goes through the key
            (Answers.Status(500, $"Authorization: Bearer {Answers.Key}"), true),
            (Answers.Body($"data: {{\"error\":\"{Answers.Key}\"}}\n\n", EventStream), true),
            (Answers.Json($"{{\"{Answers.Key}"), true),
            (Answers.Status(302, location: $"https://example.com/?{Answers.Key}"), true),
            (Answers.Whole(new JsonObject { ["content"] = $"your key is {Answers.Key}" }), false),
            (Answers.Streamed($"your key is {Answers.Key}", Answers.Key), false),
        ];
        foreach (var (answer, fails) in echoes)
        {
            await using var server = await ChatServer.StartAsync(answer);
            using var client = TestClient.Plain(server);
            string seen;
            try
            {
                var response = await client.AskAsync();
                seen = string.Concat(response.Messages.SelectMany(message => message.Contents).Select(content => content.ToString()));
                fails.ShouldBeFalse();
            }
            catch (RemoteTeacherException fault)
            {
                seen = fault.ToString();
                fails.ShouldBeTrue(seen);
            }

            seen.ShouldNotContain(Answers.Key[..12]);
        }

        TestClient.Key.ToString().ShouldNotContain(Answers.Key[..12]);
    }

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
        else (await Should.ThrowAsync<HttpRequestException>(Send)).InnerException.ShouldBeOfType<RemoteTeacherException>().ShouldBe(RemoteFaultKind.ForbiddenAddress, "localhost");
        server.Calls.Count.ShouldBe(isReached ? 1 : 0);
    }

    [Fact]
    public async Task Nobody_listening_is_unreachable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var client = new CompatibleChatClient(new EndpointOptions { Address = $"http://127.0.0.1:{port}/v1", Model = "m", Network = NetworkScope.Loopback }, TestClient.Key);
        (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).ShouldBe(RemoteFaultKind.Unreachable, "cannot be reached");
    }

    [Fact]
    public async Task A_server_without_a_certificate_is_refused()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4"));
        using var client = new CompatibleChatClient(TestClient.Options(server) with { Address = server.Address.Replace("http:", "https:", StringComparison.Ordinal) }, TestClient.Key);
        (await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync())).ShouldBe(RemoteFaultKind.Refused, "No secure connection");
        server.Calls.ShouldBeEmpty();
    }

    private static async Task<RemoteTeacherException> FaultOf(Func<HttpContext, Task> answer, Func<EndpointOptions, EndpointOptions>? change = null)
    {
        await using var server = await ChatServer.StartAsync(answer);
        using var client = new CompatibleChatClient((change ?? (same => same))(TestClient.Options(server)), TestClient.Key);
        return await Should.ThrowAsync<RemoteTeacherException>(() => client.AskAsync());
    }

    private static async Task SendForeverAsync(HttpContext context)
    {
        byte[] block = new byte[1 << 16];
        Array.Fill(block, (byte)' ');
        while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(block, context.RequestAborted);
    }
}

internal static class FaultAssertions
{
    public static void ShouldBe(this RemoteTeacherException fault, RemoteFaultKind kind, string words)
    {
        fault.Kind.ShouldBe(kind, fault.Message);
        fault.Message.ShouldContain(words);
    }
}
