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

    [Theory]
    [InlineData("text/html")]
    [InlineData("text/html; charset=utf-8")]
    [InlineData("text/plain")]
    public async Task A_page_with_status_200_is_a_fault_of_the_server_like_a_502(string type) =>
        (await FaultOf(Answers.Body("<html>welcome {</html>", type))).ShouldBe(RemoteFaultKind.ServerFault, "does it need /v1?");

    [Fact]
    public async Task A_page_that_calls_itself_JSON_is_damaged() =>
        (await FaultOf(Answers.Body("<html>welcome</html>", WholeJson))).Kind.ShouldBe(RemoteFaultKind.Damaged);

    [Fact]
    public async Task JSON_under_another_name_is_read()
    {
        await using var server = await ChatServer.StartAsync(
            Answers.Body("\n {\"choices\":[{\"message\":{\"content\":\"4\"},\"finish_reason\":\"stop\"}]}", "text/plain"));
        using var client = TestClient.Plain(server);
        (await client.AskAsync()).Text.ShouldBe("4");
    }

    [Theory]
    [InlineData("Unrecognized request argument supplied: seed", "Set send_seed to false.")]
    [InlineData("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "Set token_limit to max_completion_tokens.")]
    [InlineData("Extra inputs are not permitted: max_completion_tokens", "Set token_limit to max_tokens.")]
    [InlineData("'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 tokens",
        "Lower max_tokens: the question")]
    [InlineData("max_tokens must be at most 8192", "Lower max_tokens to what")]
    [InlineData("Unsupported value: 'temperature' does not support 0.7 with this model.", "Set temperature")]
    [InlineData("Your organization must be verified to stream this model.", "Set stream to false.")]
    [InlineData("Requested sample logprobs of 21, which is greater than max allowed: 20", "--max-logprobs")]
    [InlineData("System role not supported", "Leave instructions")]
    [InlineData("The model `x` does not exist", "(model)")]
    public async Task A_refused_request_names_the_option_that_helps(string said, string hint) =>
        (await FaultOf(Answers.Status(400, said))).ShouldBe(RemoteFaultKind.Refused, hint);

    [Theory]
    [InlineData("upstream refused")]
    [InlineData("")]
    public async Task Nothing_is_guessed_where_the_server_says_nothing_of_use(string said) =>
        (await FaultOf(Answers.Status(400, said))).Message.ShouldEndWith(said.Length > 0 ? said : "does not accept the request.");

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
