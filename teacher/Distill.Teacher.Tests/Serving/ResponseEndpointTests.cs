using System.Text.Json;
using Distill.Serving.Requests;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Serving;

/// <summary>Responses over HTTP, against the chat of the same conversation.</summary>
public sealed class ResponseEndpointTests
{
    private const string Path = "/v1/responses", Chat = "/v1/chat/completions";

    [Fact]
    public async Task A_response_is_the_chats_reply_as_items()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        var chat = await server.AskAsync(Chat, new { messages = TinyReasoner.Messages(), temperature = 0 });
        var message = chat.GetProperty("choices")[0].GetProperty("message");
        var response = await server.AskAsync(Path, new { model = "tiny", input = TinyReasoner.Question, temperature = 0 });
        (Text(response, "object"), Text(response, "status"), Text(response, "model")).ShouldBe(("response", "completed", "tiny"));
        var output = response.GetProperty("output");
        output.EnumerateArray().Select(item => Text(item, "type")).ShouldBe(["reasoning", "message"]);
        Text(output[0].GetProperty("content")[0], "text").ShouldBe(Text(message, "reasoning_content"));
        Text(output[1].GetProperty("content")[0], "text").ShouldBe(Text(message, "content"));
        (Text(output[1], "role"), Text(output[1], "status")).ShouldBe(("assistant", "completed"));

        var (usage, expected) = (response.GetProperty("usage"), chat.GetProperty("usage"));
        usage.GetProperty("input_tokens").GetInt32().ShouldBe(expected.GetProperty("prompt_tokens").GetInt32());
        usage.GetProperty("output_tokens").GetInt32().ShouldBe(expected.GetProperty("completion_tokens").GetInt32());
        int thought = expected.GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32();
        usage.GetProperty("output_tokens_details").GetProperty("reasoning_tokens").GetInt32().ShouldBe(thought);
        thought.ShouldBeInRange(3, expected.GetProperty("completion_tokens").GetInt32() - 1);
    }

    [Fact]
    public async Task A_stream_tells_of_every_item_from_its_beginning_to_its_end()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        object Body(bool stream) => new { input = TinyReasoner.Question, temperature = 0, stream };
        var whole = await server.AskAsync(Path, Body(stream: false));
        var events = await EventsAsync(server, Body(stream: true));
        events.Select(item => item.GetProperty("sequence_number").GetInt32()).ShouldBe(Enumerable.Range(0, events.Count));
        string[] types = [.. events.Select(item => Text(item, "type")!)];
        Compact(types).ShouldBe(
        [
            "response.created", "response.in_progress",
            "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta", "response.reasoning_text.done",
            "response.content_part.done", "response.output_item.done",
            "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.done",
            "response.content_part.done", "response.output_item.done",
            "response.completed",
        ]);
        string.Concat(events.Where(item => Text(item, "type") == "response.output_text.delta").Select(item => Text(item, "delta")))
            .ShouldBe(Text(whole.GetProperty("output")[1].GetProperty("content")[0], "text"));
        foreach (var item in events.Where(item => Text(item, "type") == "response.output_text.delta"))
        {
            item.GetProperty("output_index").GetInt32().ShouldBe(1);
            Text(item, "item_id").ShouldBe(Text(events[^1].GetProperty("response").GetProperty("output")[1], "id"));
        }

        var last = events[^1].GetProperty("response");
        last.GetProperty("usage").GetRawText().ShouldBe(whole.GetProperty("usage").GetRawText());
        last.GetProperty("output")[0].GetProperty("content").GetRawText()
            .ShouldBe(whole.GetProperty("output")[0].GetProperty("content").GetRawText());
    }

    [Fact]
    public async Task What_was_said_before_may_come_as_items_as_it_was_given()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        var first = await server.AskAsync(Path, new { input = TinyReasoner.Question, temperature = 0 });
        object[] before = [new { role = "user", content = TinyReasoner.Question }];
        object[] next =
        [
            .. before, .. first.GetProperty("output").EnumerateArray().Select(item => (object)item),
            new { role = "user", content = "What is 2 + 2?" },
        ];
        var second = await server.AskAsync(Path, new { instructions = "Be brief.", input = next, temperature = 0, max_output_tokens = 30 });
        string answer = Text(first.GetProperty("output")[1].GetProperty("content")[0], "text")!;
        ChatMessage[] messages =
        [
            ChatMessage.System("Be brief."), ChatMessage.User(TinyReasoner.Question), ChatMessage.Assistant(answer),
            ChatMessage.User("What is 2 + 2?"),
        ];
        second.GetProperty("usage").GetProperty("input_tokens").GetInt32().ShouldBe(TinyReasoner.Encoder.EncodePrompt(messages).Length);
        Text(second, "instructions").ShouldBe("Be brief.");
    }

    [Fact]
    public async Task A_response_that_is_cut_is_incomplete()
    {
        using var model = TinyReasoner.Open();
        await using var server = await RunningServer.StartAsync(model, TinyReasoner.Encoder);
        var response = await server.AskAsync(Path, new { input = TinyReasoner.Question, temperature = 0, max_output_tokens = 5 });
        Text(response, "status").ShouldBe("incomplete");
        Text(response.GetProperty("incomplete_details"), "reason").ShouldBe("max_output_tokens");
        var item = response.GetProperty("output").EnumerateArray().ShouldHaveSingleItem();
        (Text(item, "type"), Text(item, "status")).ShouldBe(("reasoning", "incomplete"));
        var events = await EventsAsync(
            server, new { input = TinyReasoner.Question, temperature = 0, max_output_tokens = 5, stream = true });
        Text(events[^1], "type").ShouldBe("response.incomplete");
    }

    [Fact]
    public async Task A_stream_that_fails_ends_with_an_error()
    {
        using var model = new ScriptedTokenModel(
            TinyTokenizer.Tokenizer.VocabularySize, 512, (sequence, logits) => logits.Fill(sequence.Length > 120 ? float.NaN : 1));
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        var events = await EventsAsync(server, new { input = "a", stream = true, temperature = 0 });
        var error = events[^1];
        (Text(error, "type"), Text(error, "code")).ShouldBe(("error", "server_error"));
        Text(error, "message")!.ShouldContain("not finite");
        error.GetProperty("sequence_number").GetInt32().ShouldBe(events.Count - 1);
    }

    [Theory]
    [InlineData("""{"input":"a","previous_response_id":"resp_1"}""", "previous_response_id", "stores nothing")]
    [InlineData("""{"input":"a","conversation":"c"}""", "conversation", "stores nothing")]
    [InlineData("""{"input":"a","store":true}""", "store", "stores nothing")]
    [InlineData("""{"input":"a","background":true}""", "background", "stores nothing")]
    [InlineData("""{"input":"a","truncation":"auto"}""", "truncation", "not supported")]
    [InlineData("""{"input":[]}""", "input", "at least one item")]
    [InlineData("""{}""", "input", "missing")]
    [InlineData("""{"input":"a","reasoning":{"depth":3}}""", "reasoning.depth", "Unknown parameter")]
    [InlineData("""{"input":"a","text":{"format":{"type":"xml"}}}""", "text.format.type", "json_schema")]
    [InlineData("""{"input":"a","tools":[{"type":"web_search"}]}""", "tools[0].type", "no tools of its own")]
    [InlineData("""{"input":[{"type":"item_reference","id":"msg_1"}]}""", "input[0].type", "send the item itself")]
    [InlineData("""{"input":[{"type":"function_call_output","call_id":"c","output":"o"}]}""", "input[0].call_id",
        "no function_call before")]
    [InlineData("""{"input":[{"role":"user","content":[{"type":"input_image","image_url":"x"}]}]}""", "input[0].content", "input_text")]
    [InlineData("""{"input":"a","n":2}""", "n", "one reply")]
    public async Task What_cannot_be_honoured_is_refused_by_name(string body, string parameter, string message)
    {
        using var model = new ScriptedTokenModel(TinyTokenizer.Tokenizer.VocabularySize, 64, (_, logits) => logits.Fill(1));
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        var error = await server.RefusedAsync(Path, body, 400);
        error.GetProperty("param").GetString().ShouldBe(parameter);
        error.GetProperty("message").GetString()!.ShouldContain(message);
    }

    [Fact]
    public void Reasoning_belongs_to_the_message_that_it_led_to()
    {
        const string body = """
            {"input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"lost"}]},{"role":"user","content":"u"},
            {"role":"assistant","content":"x"},{"type":"reasoning","content":[{"type":"reasoning_text","text":"why"}]},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"o"},{"role":"assistant","content":"y"}]}
            """;
        var messages = ResponseInputReader.Read(new RequestParameters(JsonElement.Parse(body)), instructions: null);
        messages.Select(message => message["role"]).ShouldBe(["user", "assistant", "tool", "assistant"]);
        messages.Select(message => message.GetValueOrDefault("reasoning_content")).ShouldBe([null, "why", null, null]);
        messages[1].ShouldContainKey("tool_calls");
    }

    private static async Task<IReadOnlyList<JsonElement>> EventsAsync(RunningServer server, object body)
    {
        using var response = await server.SendAsync(Path, body);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        string[] events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        return [.. events.Select(item =>
        {
            string[] lines = item.Split('\n');
            var data = JsonDocument.Parse(lines[1]["data: ".Length..]).RootElement;
            lines[0].ShouldBe($"event: {Text(data, "type")}");
            return data;
        })];
    }

    /// <summary>Equal neighbours once.</summary>
    private static IEnumerable<string> Compact(string[] types) => types.Where((type, i) => i == 0 || types[i - 1] != type);

    private static string? Text(JsonElement from, string name) => from.GetProperty(name).GetString();
}
