using System.ClientModel;
using System.Text.Json;
using Distill.Teacher.Tests.Fixtures;
using OpenAI;
using OpenAI.Chat;

namespace Distill.Teacher.Tests.Serving;

/// <summary>What OpenAI's package for .NET makes of the server.</summary>
public sealed class DotNetClientTests
{
    private static readonly ChatMessage[] Question = [new SystemChatMessage("Be brief."), new UserChatMessage("What is 2 + 3?")];

    [Fact]
    public async Task Chats_are_read_whole_and_as_streams()
    {
        using var model = ScriptedChat.Model(_ => "<think>Hm.</think>It is 5.");
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        var client = ClientOf(server);
        var options = new ChatCompletionOptions { Temperature = 0, EndUserId = "u", FrequencyPenalty = 0.1f };
        ChatCompletion reply = await client.CompleteChatAsync(Question, options, TestContext.Current.CancellationToken);
        (reply.Content[0].Text, reply.FinishReason).ShouldBe(("It is 5.", ChatFinishReason.Stop));
        reply.Usage.OutputTokenDetails.ReasoningTokenCount.ShouldBe(TinyTokenizer.Tokens("<think>Hm.</think>").Length);
        string streamed = "";
        int tokens = 0;
        await foreach (var update in client.CompleteChatStreamingAsync(Question, options, TestContext.Current.CancellationToken))
        {
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
            tokens = update.Usage?.TotalTokenCount ?? tokens;
        }

        (streamed, tokens).ShouldBe(("It is 5.", reply.Usage.TotalTokenCount));
    }

    [Fact]
    public async Task Tools_are_called_and_formats_kept()
    {
        using var model = ScriptedChat.Model(prompt =>
            prompt.Contains("<tool_response>5", StringComparison.Ordinal) ? "The sum is 5."
            : prompt.Contains("\"add\"", StringComparison.Ordinal)
                ? "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 2, \"b\": 3}}\n</tool_call>"
            : """{"sum": 5}""");
        await using var server = await RunningServer.StartAsync(model, ScriptedChat.Encoder);
        var client = ClientOf(server);
        const string parameters = """{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}}}""";
        var options = new ChatCompletionOptions
        {
            Temperature = 0, Tools = { ChatTool.CreateFunctionTool("add", "Adds.", BinaryData.FromString(parameters)) },
        };
        ChatCompletion asked = await client.CompleteChatAsync(Question, options, TestContext.Current.CancellationToken);
        asked.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        var call = asked.ToolCalls.ShouldHaveSingleItem();
        call.FunctionName.ShouldBe("add");
        JsonDocument.Parse(call.FunctionArguments).RootElement.GetProperty("b").GetInt32().ShouldBe(3);
        ChatMessage[] next = [.. Question, new AssistantChatMessage(asked), new ToolChatMessage(call.Id, "5")];
        ChatCompletion answered = await client.CompleteChatAsync(next, options, TestContext.Current.CancellationToken);
        answered.Content[0].Text.ShouldBe("The sum is 5.");

        const string schema =
            """{"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"],"additionalProperties":false}""";
        ChatCompletion formed = await client.CompleteChatAsync(
            Question,
            new ChatCompletionOptions
            {
                Temperature = 0,
                ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat(
                    "sum", BinaryData.FromString(schema), jsonSchemaIsStrict: true),
            },
            TestContext.Current.CancellationToken);
        JsonDocument.Parse(formed.Content[0].Text).RootElement.GetProperty("sum").GetInt32().ShouldBe(5);
    }

    private static ChatClient ClientOf(RunningServer server) => new(
        "tiny", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "v1") });
}
