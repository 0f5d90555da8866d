using System.ComponentModel;
using System.Text.Json;
using Distill.Client;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Distill.Teacher.Tests.Client;

/// <summary>Tools through the chat client, and through what others build on it.</summary>
public sealed class ToolCallingTests
{
    private const string Call = "I add.\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 2, \"b\": 40}}\n</tool_call>";
    private static readonly AIFunction s_add = AIFunctionFactory.Create(([Description("one")] int a, int b) => a + b, "add", "Adds.");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_is_made_answered_and_told(bool hasMarks)
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked, hasMarks), AddsThenSays);
        using var client = scene.Client.AsBuilder().UseFunctionInvocation().Build();
        var response = await client.GetResponseAsync("What is 2 + 40?", new ChatOptions { Tools = [s_add] });
        response.Messages[^1].Text.ShouldBe("The sum is 42.");
        response.Messages[0].Text.ShouldBe("I add.");
        var call = response.Messages[0].Contents.OfType<FunctionCallContent>().ShouldHaveSingleItem();
        (call.Name, ((JsonElement)call.Arguments!["b"]!).GetInt32(), call.CallId.Length).ShouldBe(("add", 40, 9));
        response.Messages[1].Role.ShouldBe(ChatRole.Tool);
        // The second prompt has the call and its result as the template writes them.
        scene.Prompts[^1].ShouldContain("<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 2, \"b\": 40}}\n</tool_call>");
        scene.Prompts[^1].ShouldContain("<|tool|>42");
        scene.Prompts[0].ShouldContain("\"description\": \"Adds.\"");
    }

    [Fact]
    public async Task Text_streams_before_the_call_and_the_call_comes_whole()
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked), AddsThenSays);
        var options = new ChatOptions { Tools = [s_add] };
        var updates = await scene.Client.GetStreamingResponseAsync("What is 2 + 40?", options).ToListAsync();
        updates.Count(update => update.Text.Length > 0).ShouldBeGreaterThan(3);
        updates.SelectMany(update => update.Contents).OfType<FunctionCallContent>().ShouldHaveSingleItem();
        updates[^1].FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        var whole = await scene.Client.GetResponseAsync("What is 2 + 40?", options);
        Shape(updates.ToChatResponse()).ShouldBe(Shape(whole));
    }

    [Fact]
    public async Task A_required_call_is_one_whatever_the_model_would_say()
    {
        foreach (string template in (string[])[ToolModels.Marked, ToolModels.Bare])
        {
            using var scene = new Scene(ToolModels.Encoder(template), _ => "I would rather not.");
            var sub = AIFunctionFactory.Create((int a) => -a, "negate");
            var any = await scene.Client.GetResponseAsync(
                "Go.", new ChatOptions { Tools = [s_add, sub], ToolMode = ChatToolMode.RequireAny, MaxOutputTokens = 900 });
            any.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
            any.Messages[0].Contents.ShouldHaveSingleItem().ShouldBeOfType<FunctionCallContent>();
            var named = await scene.Client.GetResponseAsync(
                "Go.", new ChatOptions { Tools = [s_add, sub], ToolMode = ChatToolMode.RequireSpecific("negate"), MaxOutputTokens = 900 });
            named.Messages[0].Contents.OfType<FunctionCallContent>().ShouldHaveSingleItem().Name.ShouldBe("negate");
        }
    }

    [Fact]
    public async Task One_call_is_the_most_where_more_are_not_allowed()
    {
        foreach (bool hasMarks in (bool[])[false, true])
        {
            using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked, hasMarks), _ => $"{Call}\n{Call[7..]}");
            var options = new ChatOptions { Tools = [s_add] };
            (await scene.Client.GetResponseAsync("Go.", options)).Messages[0].Contents.OfType<FunctionCallContent>().Count().ShouldBe(2);
            options.AllowMultipleToolCalls = false;
            (await scene.Client.GetResponseAsync("Go.", options)).Messages[0].Contents.OfType<FunctionCallContent>().Count().ShouldBe(1);
        }
    }

    [Fact]
    public async Task Tools_and_a_format_together_leave_the_model_the_choice()
    {
        var options = new ChatOptions { Tools = [s_add], ResponseFormat = ChatResponseFormat.Json };
        using var calls = new Scene(ToolModels.Encoder(ToolModels.Marked), _ => Call[7..]);
        (await calls.Client.GetResponseAsync("Go.", options)).FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        using var says = new Scene(ToolModels.Encoder(ToolModels.Marked), _ => "{\"sum\": 42}");
        (await says.Client.GetResponseAsync("Go.", options)).Text.ShouldBe("{\"sum\": 42}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_required_call_and_a_choice_with_a_format_do_not_share_a_constraint(bool formatFirst)
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked), _ => "{\"sum\": 42}");
        foreach (bool hasFormat in (bool[])[formatFirst, !formatFirst])
        {
            var options = new ChatOptions { Tools = [s_add], MaxOutputTokens = 900 };
            if (hasFormat) options.ResponseFormat = ChatResponseFormat.Json;
            else options.ToolMode = ChatToolMode.RequireAny;
            var response = await scene.Client.GetResponseAsync("Go.", options);
            if (hasFormat) response.Text.ShouldBe("{\"sum\": 42}");
            else response.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        }
    }

    [Fact]
    public async Task Half_a_surrogate_pair_in_JSON_is_refused_by_its_place()
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked), _ => "Well.");
        var half = JsonDocument.Parse("\"\\ud800\"").RootElement;
        await Refused([new(ChatRole.Tool, [new FunctionResultContent("abcdefghi", half)])], null, "message 1");
        await Refused(
            [new(ChatRole.Assistant, [new FunctionCallContent("abcdefghi", "add", new Dictionary<string, object?> { ["a"] = half })])],
            null, "message 1");
        var odd = AIFunctionFactory.CreateDeclaration("odd", null, JsonDocument.Parse("{\"\\ud800\":{}}").RootElement);
        await Refused([], new ChatOptions { Tools = [odd] }, "'odd'");

        async Task Refused(ChatMessage[] messages, ChatOptions? options, string place) =>
            (await Should.ThrowAsync<ArgumentException>(() => scene.Client.GetResponseAsync(
                [new ChatMessage(ChatRole.User, "Go."), .. messages], options))).Message.ShouldContain(place);
    }

    [Fact]
    public async Task Calls_of_a_system_message_are_refused()
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked), _ => "Well.");
        var message = new ChatMessage(ChatRole.System, [new FunctionCallContent("abcdefghi", "add")]);
        (await Should.ThrowAsync<NotSupportedException>(() => scene.Client.GetResponseAsync([message]))).Message.ShouldContain("'system'");
    }

    [Fact]
    public async Task Modes_that_are_impossible_are_refused()
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked), _ => Call);
        await Should.ThrowAsync<ArgumentException>(() => scene.Client.GetResponseAsync(
            "", new ChatOptions { ToolMode = ChatToolMode.RequireAny }));
        await Should.ThrowAsync<ArgumentException>(() => scene.Client.GetResponseAsync(
            "", new ChatOptions { Tools = [s_add], ToolMode = ChatToolMode.RequireSpecific("other") }));
        await Should.ThrowAsync<NotSupportedException>(() => scene.Client.GetResponseAsync(
            "", new ChatOptions { Tools = [new HostedWebSearchTool()] }));
        // Told of no tools, it may write what it likes: it is text.
        var none = await scene.Client.GetResponseAsync("Go.", new ChatOptions { Tools = [s_add], ToolMode = ChatToolMode.None });
        none.Text.ShouldBe(Call);
        scene.Prompts[^1].ShouldNotContain("Adds.");
    }

    [Fact]
    public async Task An_agent_uses_a_tool()
    {
        using var scene = new Scene(ToolModels.Encoder(ToolModels.Marked), AddsThenSays);
        AIAgent agent = new ChatClientAgent(scene.Client, instructions: "You add.", tools: [s_add]);
        (await agent.RunAsync("What is 2 + 40?")).Text.ShouldEndWith("The sum is 42.");
        scene.Prompts[0].ShouldContain("You add.");
    }

    private static string AddsThenSays(string prompt) =>
        prompt.Contains("<|tool|>42", StringComparison.Ordinal) ? "The sum is 42." : Call;

    private static string Shape(ChatResponse response) => string.Join(
        '\n', response.Messages.SelectMany(message => message.Contents).Select(content =>
            content is FunctionCallContent call ? $"{call.Name} {JsonSerializer.Serialize(call.Arguments)}" : content.ToString()));

    /// <summary>A scripted model behind a client, and the prompts that it saw.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly ScriptedTokenModel model;
        private readonly GenerationEngine engine;

        public Scene(ChatEncoder encoder, Func<string, string> reply)
        {
            model = ToolModels.Scripted(encoder, prompt =>
            {
                if (Prompts.Count == 0 || Prompts[^1] != prompt) Prompts.Add(prompt);
                return reply(prompt);
            });
            engine = new GenerationEngine(model);
            Client = new EngineChatClient(engine, encoder, "scripted");
        }

        public EngineChatClient Client { get; }

        public List<string> Prompts { get; } = [];

        public void Dispose()
        {
            engine.Dispose();
            model.Dispose();
        }
    }
}
