using System.Diagnostics;
using System.Text.Json;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Serving;

/// <summary>
/// What the clients make of the server that people use: npm's openai, @openai/agents, and ai with @ai-sdk/openai-compatible, run by node.
/// </summary>
public sealed class JavaScriptClientTests
{
    private const string Variable = "DISTILL_NODE", Answer = "It is 5.", Thought = "Two and three.", Summed = "The sum is 5.";

    private static readonly string Script =
        Path.Combine(RepositoryFolder.Root, "teacher/Distill.Teacher.Tests/Serving/Clients/clients.mjs");

    [Fact]
    public async Task Chats_are_read_whole_and_as_streams()
    {
        var whole = await RunAsync("chat");
        var message = whole.GetProperty("message");
        (Text(message, "content"), Text(message, "reasoning_content"), Text(whole, "finish")).ShouldBe((Answer, Thought, "stop"));
        int thought = whole.GetProperty("usage").GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32();
        thought.ShouldBe(TinyTokenizer.Tokens($"<think>{Thought}</think>").Length);

        var streamed = await RunAsync("stream");
        (Text(streamed, "content"), Text(streamed, "reasoning"), Text(streamed, "final")).ShouldBe((Answer, Thought, Answer));
        streamed.GetProperty("pieces").GetInt32().ShouldBeGreaterThan(3);
        streamed.GetProperty("usage").GetProperty("total_tokens").GetInt32()
            .ShouldBe(whole.GetProperty("usage").GetProperty("total_tokens").GetInt32());
    }

    [Fact]
    public async Task Responses_are_read_whole_and_as_streams_and_come_back_as_input()
    {
        var whole = await RunAsync("responses");
        (Text(whole, "text"), Text(whole, "again")).ShouldBe((Answer, Answer));
        whole.GetProperty("types").EnumerateArray().Select(type => type.GetString()).ShouldBe(["reasoning", "message"]);
        var streamed = await RunAsync("responsesStream");
        (Text(streamed, "text"), Text(streamed, "final"), Text(streamed, "status")).ShouldBe((Answer, Answer, "completed"));
    }

    [Fact]
    public async Task Answers_have_the_form_that_the_parse_functions_ask_for()
    {
        var parsed = await RunAsync("parse");
        foreach (string kind in (string[])["chat", "response", "object"])
            parsed.GetProperty(kind).GetProperty("sum").GetInt32().ShouldBe(5, kind);
    }

    [Fact]
    public async Task Tools_are_called_and_their_results_answered()
    {
        var chat = await RunAsync("tools");
        (Text(chat, "content"), chat.GetProperty("calls").GetRawText(), Text(chat, "finish")).ShouldBe((Summed, "[[2,3]]", "tool_calls"));
        foreach (string kind in (string[])["streamed", "forced"])
        {
            var function = chat.GetProperty(kind)[0].GetProperty("function");
            Text(function, "name").ShouldBe("add");
            JsonDocument.Parse(Text(function, "arguments")!).RootElement.GetProperty("a").ValueKind.ShouldBe(JsonValueKind.Number);
        }

        var responses = await RunAsync("responsesTools");
        (Text(responses, "name"), Text(responses, "text")).ShouldBe(("add", Summed));
        foreach (string kind in (string[])["arguments", "streamed"]) responses.GetProperty(kind).GetProperty("b").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task Agents_call_tools_over_both_interfaces()
    {
        var said = await RunAsync("agents");
        foreach (string api in (string[])["responses", "chat_completions"])
        {
            var one = said.GetProperty(api);
            (Text(one, "text"), Text(one, "streamed")).ShouldBe((Summed, Summed), api);
            one.GetProperty("calls").GetRawText().ShouldBe("[[2,3],[2,3]]");
        }
    }

    [Fact]
    public async Task The_ai_package_reads_reasoning_and_calls_tools()
    {
        var said = await RunAsync("ai");
        (Text(said, "text"), Text(said, "reasoning")).ShouldBe((Answer, Thought));
        (Text(said, "called"), Text(said, "streamed")).ShouldBe((Summed, Answer));
        said.GetProperty("calls").GetRawText().ShouldBe("[[2,3]]");
    }

    [Fact]
    public async Task Refusals_are_errors_of_their_kind()
    {
        var said = await RunAsync("errors");
        foreach (var (name, kind, status, param) in ((string, string, int, string)[])
        [
            ("surrogate", "BadRequestError", 400, "messages[0].content"), ("model", "NotFoundError", 404, "model"),
            ("stored", "BadRequestError", 400, "previous_response_id"),
        ])
        {
            var error = said.GetProperty(name);
            (Text(error, "kind"), error.GetProperty("status").GetInt32(), Text(error, "param")).ShouldBe((kind, status, param), name);
        }
    }

    private static async Task<JsonElement> RunAsync(string scenario)
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable(Variable) is { Length: > 0 }, $"{Variable} names no folder with the npm clients.");
        using var model = ScriptedChat.Model(Reply);
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string word in (string[])[Script, scenario, server.Address.ToString()]) start.ArgumentList.Add(word);
        using var process = Process.Start(start)!;
        var cancellation = TestContext.Current.CancellationToken;
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        string said = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        process.ExitCode.ShouldBe(0, await errors + said);
        return JsonDocument.Parse(said).RootElement;
    }

    /// <summary>Calls a tool where there is one and its result is not there yet.</summary>
    private static string Reply(string prompt) => prompt.Contains("<tool_response>", StringComparison.Ordinal) ? Summed
        : prompt.Contains("JSON", StringComparison.Ordinal) ? """{"sum": 5}"""
        : prompt.Contains("\"add\"", StringComparison.Ordinal)
            ? "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 2, \"b\": 3}}\n</tool_call>"
        : $"<think>{Thought}</think>{Answer}";

    private static string? Text(JsonElement from, string name) => from.GetProperty(name).GetString();
}
