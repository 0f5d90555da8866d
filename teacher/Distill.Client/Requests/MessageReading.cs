using System.Text.Json;
using Distill.Tokenization;
using Microsoft.Extensions.AI;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatMessage = Distill.Tokenization.ChatMessage;

namespace Distill.Client;

/// <summary>
/// Messages of a caller → those of a template. Instructions come first; system and developer messages at the beginning are one; of an
/// earlier reply its answer and its calls count, not what was thought.
/// </summary>
/// <param name="offered">How calls are written, where tools are offered.</param>
/// <param name="known">The same whether or not; asked for only when there are calls.</param>
internal sealed class MessageReading(ToolDialect? offered, Func<ToolDialect?> known)
{
    private static readonly ChatRole s_developer = new("developer");

    private readonly Dictionary<string, string> names = []; // of called tools, by the call's id

    /// <exception cref="NotSupportedException">A message is not text, or of a role that templates do not know.</exception>
    /// <exception cref="ArgumentException">A message holds half of a surrogate pair.</exception>
    public IReadOnlyList<ChatMessage> Read(IEnumerable<AIMessage> messages, string? instructions)
    {
        var read = new List<ChatMessage>();
        if (!string.IsNullOrEmpty(instructions)) read.Add(ChatMessage.System(WrittenText.Require(instructions, "Instructions")));
        int index = 0;
        foreach (var message in messages)
        {
            string place = $"message {index++}";
            foreach (var each in Read(message, place))
            {
                bool joins = each.Role == "system" && read.Count == 1 && read[0].Role == "system";
                if (joins) read[0] = ChatMessage.System(read[0].Content + "\n\n" + each.Content);
                else read.Add(each);
            }
        }

        return read;
    }

    private IEnumerable<ChatMessage> Read(AIMessage message, string place)
    {
        if (message.Role == ChatRole.Tool) return Results(message, place);
        var calls = message.Contents.OfType<FunctionCallContent>().ToList();
        Refuse(
            message.Contents.FirstOrDefault(
                content => content is not (TextContent or TextReasoningContent or UsageContent or FunctionCallContent)),
            place);
        string text = WrittenText.Require(message.Text, place);
        if ((message.Role == ChatRole.System || message.Role == s_developer) && calls.Count == 0) return [ChatMessage.System(text)];
        if (message.Role == ChatRole.User && calls.Count == 0) return [ChatMessage.User(text)];
        if (message.Role != ChatRole.Assistant) throw Unsupported($"the role '{message.Role}', or calls of it", place);
        return [calls.Count == 0 ? ChatMessage.Assistant(text) : Reply(text, calls, place)];
    }

    private ChatMessage Reply(string text, List<FunctionCallContent> calls, string place)
    {
        var dialect = RequireTools(place);
        ToolCall[] read = [.. calls.Select(call => Read(call, place))];
        if (dialect.IsWrittenByTemplate) return ChatMessage.Assistant(text) with { ToolCalls = read };
        return ChatMessage.Assistant(string.Join('\n', read.Select(dialect.Spell).Prepend(text).Where(part => part.Length > 0)));
    }

    private ToolCall Read(FunctionCallContent call, string place)
    {
        names[call.CallId] = WrittenText.Require(call.Name, place);
        var arguments = WrittenText.Written(call.Arguments ?? new Dictionary<string, object?>(), place);
        return new ToolCall(WrittenText.Require(call.CallId, place), call.Name, arguments);
    }

    private IEnumerable<ChatMessage> Results(AIMessage message, string place)
    {
        RequireTools(place);
        Refuse(message.Contents.FirstOrDefault(content => content is not FunctionResultContent), place);
        foreach (var result in message.Contents.OfType<FunctionResultContent>())
        {
            string id = WrittenText.Require(result.CallId, place);
            yield return ChatMessage.Tool(WrittenText.Require(TextOf(result, place), place), id, names.GetValueOrDefault(id));
        }
    }

    private static string TextOf(FunctionResultContent result, string place) => result.Result switch
    {
        null => result.Exception is null ? "" : "Error: the tool failed.",
        string text => text,
        TextContent text => text.Text,
        JsonElement { ValueKind: JsonValueKind.String } text => WrittenText.Require(text, place).GetString()!,
        var value => WrittenText.Written(value, place).GetRawText(),
    };

    private ToolDialect RequireTools(string place) => offered ?? known()
        ?? throw Unsupported("calls of tools, which its chat template does not know", place);

    private static void Refuse(AIContent? content, string place)
    {
        if (content is not null) throw Unsupported($"{content.GetType().Name}", place);
    }

    private static NotSupportedException Unsupported(string what, string place) => new($"This model does not support {what} ({place}).");
}
