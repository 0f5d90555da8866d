using System.Text.Json.Nodes;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Tests.Endpoint;

/// <summary>What is sent, and what is read out of the answers of the servers there are.</summary>
public sealed class ChatClientTests
{
    [Fact]
    public async Task A_streamed_answer_is_put_together()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("four", "two and two"));
        using var client = TestClient.Plain(server);
        var response = await client.AskAsync();
        response.Text.ShouldBe("four");
        Reasoning(response).ShouldBe("two and two");
        response.FinishReason.ShouldBe(ChatFinishReason.Stop);
        response.Usage.ShouldNotBeNull();
        (response.Usage.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.ReasoningTokenCount).ShouldBe((11L, 7L, 3L));
    }

    [Fact]
    public async Task The_request_says_what_was_asked_for()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4"));
        using var client = TestClient.Plain(server);
        await client.AskAsync("What is \"x\"?");
        var call = server.Calls.ShouldHaveSingleItem();
        call.Target.ShouldBe("POST /v1/chat/completions");
        call.Authorization.ShouldBe("Bearer " + Answers.Key);
        JsonNode.DeepEquals(call.Body, JsonNode.Parse(
            """
            {"model":"teacher-1","messages":[{"role":"user","content":"What is \"x\"?"}],"max_tokens":64,
             "temperature":0.5,"top_p":1,"seed":5,"stream":true,"stream_options":{"include_usage":true}}
            """)).ShouldBeTrue(call.Body.ToJsonString());
    }

    [Fact]
    public async Task An_endpoint_may_want_another_word_for_the_limit_and_no_stream_and_no_key()
    {
        await using var server = await ChatServer.StartAsync(Answers.Whole(new JsonObject { ["content"] = "4" }));
        using var client = new CompatibleChatClient(
            TestClient.Options(server) with { Streams = false, TokenLimit = TokenLimitName.MaxCompletionTokens }, key: null);
        (await client.AskAsync()).Text.ShouldBe("4");
        var call = server.Calls.ShouldHaveSingleItem();
        call.Authorization.ShouldBeEmpty();
        call.Body.Select(pair => pair.Key).ShouldBe(["model", "messages", "max_completion_tokens", "temperature", "top_p", "seed"]);
    }

    // Servers that cannot stream answer in one piece; the newer vLLM and OpenRouter call it reasoning; Mistral sends parts.
    [Theory]
    [InlineData("""{"content":"4","reasoning_content":"why"}""", "4", "why")]
    [InlineData("""{"content":"4","reasoning":"why"}""", "4", "why")]
    [InlineData("""{"content":[{"type":"thinking","thinking":[{"type":"text","text":"why"}]},{"type":"text","text":"4"}]}""", "4", "why")]
    [InlineData("""{"content":null,"reasoning_content":"why"}""", "", "why")]
    [InlineData("""{"content":"<think>why</think>4"}""", "<think>why</think>4", "")]
    [InlineData("""{"content":7,"reasoning_content":{"a":1}}""", "", "")]
    [InlineData("""{"content":"\ud83d"}""", "\uFFFD", "")]
    [InlineData("{}", "", "")]
    public async Task Reasoning_is_read_wherever_servers_put_it(string message, string text, string reasoning)
    {
        await using var server = await ChatServer.StartAsync(
            Answers.Json("{\"choices\":[{\"message\":" + message + ",\"finish_reason\":\"stop\"}]}"));
        using var client = TestClient.Plain(server);
        var response = await client.AskAsync();
        response.Text.ShouldBe(text);
        Reasoning(response).ShouldBe(reasoning);
        response.Usage.ShouldBeNull();
    }

    [Theory]
    [InlineData("length")]
    [InlineData("content_filter")]
    [InlineData("insufficient_system_resource")] // DeepSeek's own
    public async Task Any_finish_reason_is_data(string reason)
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("4", finish: reason));
        using var client = TestClient.Plain(server);
        (await client.AskAsync()).FinishReason!.Value.Value.ShouldBe(reason);
    }

    [Theory]
    [InlineData(400, """{"error":{"message":"filtered","code":"content_filter"}}""")]
    [InlineData(400, """{"error":{"message":"filtered","code":"400","innererror":{"code":"ResponsibleAIPolicyViolation"}}}""")]
    [InlineData(400, """{"error":{"message":"Content Exists Risk: filtered","type":"invalid_request_error"}}""")]
    [InlineData(400, """{"error":{"message":"filtered","code":"data_inspection_failed"}}""")]
    [InlineData(403, """{"error":{"message":"filtered","code":403,"metadata":{"flagged_input":"?"}}}""")]
    public async Task A_question_that_the_filter_refuses_is_an_answer_too(int status, string body)
    {
        await using var server = await ChatServer.StartAsync(Answers.Json(body, status));
        using var client = TestClient.Plain(server);
        var response = await client.AskAsync();
        response.FinishReason.ShouldBe(ChatFinishReason.ContentFilter);
        response.Text.ShouldBeEmpty();
        response.Messages[0].Contents.OfType<ErrorContent>().ShouldHaveSingleItem().Message.ShouldContain("filtered");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refusals_and_calls_of_tools_are_read_whole_or_in_pieces(bool streams)
    {
        await using var server = await ChatServer.StartAsync(streams
            ? Answers.Body(
                """data: {"choices":[{"delta":{"refusal":"I can"}}]}""" + "\n\n"
                + """data: {"choices":[{"delta":{"refusal":"not"}}]}""" + "\n\n"
                + """data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"look","arguments":"{\"q\":"}}]}}]}""" + "\n\n"
                + """data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}""" + "\n\n"
                + """data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}""" + "\n\n", "text/event-stream")
            : Answers.Json(
                """
                {"choices":[{"message":{"content":null,"refusal":"I cannot",
                 "tool_calls":[{"function":{"name":"look","arguments":"{\"q\":1}"}}]},"finish_reason":"tool_calls"}]}
                """));
        using var client = TestClient.Plain(server);
        var response = await client.AskAsync();
        response.Messages[0].Contents.OfType<ErrorContent>().ShouldHaveSingleItem().Message.ShouldBe("I cannot");
        var call = response.Messages[0].Contents.OfType<FunctionCallContent>().ShouldHaveSingleItem();
        (call.Name, call.Arguments!["arguments"]).ShouldBe(("look", "{\"q\":1}"));
        var streamed = await client.GetStreamingResponseAsync(
            [new(ChatRole.User, "?")], cancellationToken: TestContext.Current.CancellationToken)
            .ToChatResponseAsync(TestContext.Current.CancellationToken);
        streamed.Messages[0].Contents.OfType<ErrorContent>().ShouldHaveSingleItem().Message.ShouldBe("I cannot");
    }

    [Fact]
    public async Task Updates_come_while_the_server_still_speaks()
    {
        await using var server = await ChatServer.StartAsync(Answers.Stall());
        using var client = TestClient.Plain(server);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await using var updates = client.GetStreamingResponseAsync([new(ChatRole.User, "?")], null, end.Token)
            .GetAsyncEnumerator(end.Token);
        (await updates.MoveNextAsync()).ShouldBeTrue();
        updates.Current.Text.ShouldBe("4");
        var next = updates.MoveNextAsync();
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(async () => await next);
    }

    [Fact]
    public async Task Streamed_updates_say_the_same_as_the_whole_response()
    {
        await using var server = await ChatServer.StartAsync(Answers.Streamed("four", "two and two"));
        using var client = TestClient.Plain(server);
        var response = await client.GetStreamingResponseAsync(
            [new(ChatRole.User, "?")], cancellationToken: TestContext.Current.CancellationToken)
            .ToChatResponseAsync(TestContext.Current.CancellationToken);
        (
            response.Text, Reasoning(response), response.FinishReason,
            response.Usage?.OutputTokenCount).ShouldBe(("four", "two and two", ChatFinishReason.Stop, 7));
    }

    [Fact]
    public void Options_that_cannot_work_are_named_all_at_once()
    {
        var fault = Should.Throw<ArgumentException>(
            () => new CompatibleChatClient(
                new EndpointOptions { Address = "http://example.com", Model = " ", MaxResponseBytes = 0 }, null));
        foreach (string name in (string[])["Address 'http://example.com'", "Model", "MaxResponseBytes 0"])
            fault.Message.ShouldContain(name);
    }

    private static string Reasoning(ChatResponse response) =>
        string.Concat(
            response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text));
}
