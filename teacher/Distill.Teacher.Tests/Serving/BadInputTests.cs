using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CsCheck;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Serving;

/// <summary>Whatever a caller sends is the caller's fault: it is told so, and the model's health does not suffer.</summary>
public sealed class BadInputTests
{
    private const string Chat = "/v1/chat/completions", Completions = "/v1/completions", Responses = "/v1/responses";

    private static readonly string[] Valid =
    [
        Chat + """
             {"messages":[{"role":"user","content":"a"}],"max_completion_tokens":3,"parallel_tool_calls":false,
             "tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,
             "parameters":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}}}],
             "tool_choice":{"type":"function","function":{"name":"f"}},
             "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,
             "schema":{"type":"object","properties":{"b":{"enum":["x",1]}},"additionalProperties":false}}}}
             """,
        Chat + """
             {"model":"tiny","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"u"}]},
             {"role":"assistant","content":null,
             "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
             {"role":"tool","tool_call_id":"c","content":"r"},{"role":"user","content":"a"}],"temperature":0.5,"top_p":0.9,"top_k":3,
             "min_p":0.1,"seed":1,"n":2,"stop":["x"],"logit_bias":{"1":2},"frequency_penalty":0.5,"presence_penalty":1,"logprobs":true,
             "top_logprobs":2,"max_tokens":3,"stream":true,"stream_options":{"include_usage":true},"chat_template_kwargs":{"thinking":true},
             "response_format":{"type":"text"},"tools":[],"tool_choice":"auto","store":false,"metadata":{"a":"b"}}
             """,
        Completions + """
             {"model":"tiny","prompt":["a",[1,2]],"max_tokens":2,"echo":true,"logprobs":1,"temperature":1,"repetition_penalty":1.1,
             "ignore_eos":false,"add_special_tokens":true,"best_of":1,"suffix":""}
             """,
        Responses + """
             {"model":"tiny","instructions":"i","input":[{"role":"user","content":"a"},{"type":"reasoning","id":"r","summary":[],
             "content":[{"type":"reasoning_text","text":"t"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
             {"type":"function_call_output","call_id":"c","output":"o"}],"max_output_tokens":3,"stream":true,"store":false,
             "text":{"format":{"type":"json_object"},"verbosity":"low"},"reasoning":{"effort":"low"},
             "tools":[{"type":"function","name":"f","parameters":{"type":"object"}}],"tool_choice":"auto"}
             """,
    ];

    // What may stand where another value stood.
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "2", "0.5", "1e999", "-1e999", "1e-300", "9999999999999999999999", "2147483648", "\"\"",
        "\"a\"", "\"\\ud83d\"", "\"a\\udc00b\"", "\"\\u0000\"", "\"<|end|>\"", "[]", "[null]", "[[]]", "[1]", "[\"\\ud800\"]", "[-1]",
        "{}", "{\"a\":1}",
        "{\"\\ud83d\":1}", "{\"type\":\"function\"}", "{\"type\":\"text\"}", "{\"role\":\"user\"}",
        "[{\"role\":\"user\",\"content\":\"\\ud800\"}]",
        "[{\"type\":\"text\",\"text\":null}]", "\"{\\\"a\\\":\\\"\\\\ud800\\\"}\"",
    ];

    [Fact]
    public async Task Every_value_in_every_place_is_answered_or_refused_and_never_a_fault()
    {
        var failures = new List<Exception>();
        using var model = Brief();
        await using var server = await RunningServer.StartAsync(
            model, ScriptedChat.Encoder, null, options => options with { Failed = failures.Add });
        foreach (string valid in Valid)
        {
            var (path, body) = Parts(valid);
            (await StatusAsync(server, path, body)).Status.ShouldBe(200, body);
            foreach (var (start, end) in Places(body))
            {
                foreach (string value in Values)
                {
                    string changed = body[..start] + value + body[end..];
                    var (status, answer) = await StatusAsync(server, path, changed);
                    (status is 200 or 400 or 404).ShouldBeTrue($"{path} {status} {answer}\n{changed}");
                    if (status != 200) MessageOf(answer).ShouldNotBeEmpty();
                }
            }
        }

        failures.ShouldBeEmpty();
        (await server.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Broken_bytes_are_refused()
    {
        var failures = new List<Exception>();
        using var model = Brief();
        await using var server = await RunningServer.StartAsync(
            model, ScriptedChat.Encoder, null, options => options with { Failed = failures.Add });
        Gen.Select(Gen.Int[0, Valid.Length - 1], Gen.Int[0, 10_000], Gen.Byte, Gen.Int[0, 2]).Sample((which, place, value, kind) =>
        {
            var (path, text) = Parts(Valid[which]);
            byte[] body = Encoding.UTF8.GetBytes(text);
            int at = place % body.Length;
            byte[] changed = kind switch
            {
                0 => [.. body[..at], value, .. body[(at + 1)..]], 1 => [.. body[..at], value, .. body[at..]], _ => body[..at],
            };
            var content = new ByteArrayContent(changed) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var response = server.Client.PostAsync(path, content).GetAwaiter().GetResult();
            ((int)response.StatusCode is 200 or 400 or 404).ShouldBeTrue($"{response.StatusCode} {Encoding.Latin1.GetString(changed)}");
        }, iter: 600, threads: 1);
        failures.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"a \ud83d"}]}""", "messages[0].content")]
    [InlineData(Completions, """{"prompt":["a","\udc00"]}""", "prompt[1]")]
    [InlineData(Responses, """{"input":"\ud83d"}""", "input")]
    [InlineData(Responses, """{"input":"a","metadata":{"\ud83d":"x"}}""", "metadata")]
    [InlineData(Chat, """{"messages":[{"role":"user","content":"a"}],"stop":"\ud83d"}""", "stop")]
    public async Task Half_a_character_is_named(string path, string body, string parameter)
    {
        using var model = Brief();
        await using var server = await RunningServer.StartAsync(model, TinyTokenizer.Encoder);
        var error = await server.RefusedAsync(path, body, 400);
        (error.GetProperty("param").GetString(), error.GetProperty("type").GetString()).ShouldBe((parameter, "invalid_request_error"));
        error.GetProperty("message").GetString()!.ShouldContain("half of a surrogate pair");
    }

    [Fact]
    public async Task Input_of_reasoning_alone_is_refused()
    {
        using var model = Brief();
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        var error = await server.RefusedAsync(Responses, """{"input":[{"type":"reasoning","summary":[]}]}""", 400);
        error.GetProperty("param").GetString().ShouldBe("input");
        await server.AskAsync(
            Responses, new { instructions = "i", input = new[] { new { type = "reasoning", summary = Array.Empty<int>() } } });
        (await server.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    // However deep they are, twice named or half a character: the model wrote them, and the next request has them again.
    [Theory]
    [InlineData("""{"a":1,"a":2}"""), InlineData("""{"a":"\ud83d"}"""), InlineData("""{"\ud83d":1}"""), InlineData("no JSON")]
    [InlineData(47), InlineData(48), InlineData(58), InlineData(59), InlineData(62), InlineData(63), InlineData(64), InlineData(200)]
    public async Task Arguments_come_back_as_the_model_wrote_them(object given)
    {
        string arguments = given as string ?? "{\"a\":" + Nested((int)given - 1) + "}";
        string? prompt = null;
        using var model = ScriptedChat.Model(text => (prompt = text, "a").Item2);
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        var call = new { id = "c", type = "function", function = new { name = "f", arguments } };
        await server.AskAsync(Chat, new
        {
            messages = new object[] { new { role = "user", content = "a" }, new { role = "assistant", tool_calls = new[] { call } } },
            max_tokens = 1,
        });
        prompt.ShouldNotBeNull().ShouldContain("\"name\": \"f\"");
        await server.AskAsync(Responses, new
        {
            input = new object[]
            {
                new { role = "user", content = "a" }, new { type = "function_call", call_id = "c", name = "f", arguments },
            },
            max_output_tokens = 1,
        });
        (await server.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_a_response_says_again_may_be_as_deep_as_a_body()
    {
        using var model = Brief();
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        string body = "{\"input\":\"a\",\"stream\":true,\"metadata\":{\"a\":" + Nested(62) + "}}";
        var (status, answer) = await StatusAsync(server, Responses, body);
        (status, answer.Contains("response.completed", StringComparison.Ordinal)).ShouldBe((200, true), answer);
    }

    [Fact]
    public async Task A_fault_that_is_not_the_models_leaves_its_health_alone()
    {
        var failures = new List<Exception>();
        using var model = Brief();
        var bare = new ChatEncoder(TinyTokenizer.Tokenizer, template: null);
        await using var server = await RunningServer.StartAsync(model, bare, null, options => options with { Failed = failures.Add });
        await server.RefusedAsync(Chat, """{"messages":[{"role":"user","content":"a"}]}""", 500);
        failures.Count.ShouldBe(1);
        (await server.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    /// <summary>Start and end of every value in a body, but that of the body itself.</summary>
    private static IEnumerable<(int Start, int End)> Places(string json)
    {
        var places = new List<(int, int)>();
        var starts = new Stack<int>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json)); // ASCII, so bytes are characters
        while (reader.Read())
        {
            int start = (int)reader.TokenStartIndex, end = (int)reader.BytesConsumed;
            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) starts.Push(start);
            else if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject) places.Add((starts.Pop(), end));
            else if (reader.TokenType != JsonTokenType.PropertyName) places.Add((start, end));
        }

        return places.Where(place => place.Item1 > 0);
    }

    private static (string Path, string Body) Parts(string valid)
    {
        int start = valid.IndexOf('{', StringComparison.Ordinal);
        return (valid[..start].Trim(), valid[start..]);
    }

    private static string? MessageOf(string answer) =>
        JsonDocument.Parse(answer).RootElement.GetProperty("error").GetProperty("message").GetString();

    private static async Task<(int Status, string Answer)> StatusAsync(RunningServer server, string path, string body)
    {
        using var response = await server.SendTextAsync(path, body);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static ScriptedTokenModel Brief() => ScriptedChat.Model(_ => "a");
}
