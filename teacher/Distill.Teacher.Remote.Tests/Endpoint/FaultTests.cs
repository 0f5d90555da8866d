using Distill.Teacher.Remote.Endpoint;
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

    private static async Task<RemoteTeacherException> FaultOf(
        Func<HttpContext, Task> answer, Func<EndpointOptions, EndpointOptions>? change = null)
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
