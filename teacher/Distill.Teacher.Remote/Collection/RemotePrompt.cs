using System.Text.Json;
using Distill.Data.Problems;
using Distill.Teacher.Remote.Calls;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Collection;

/// <summary>A problem as it is put to a remote teacher. Immutable.</summary>
/// <param name="Text">Names the prompt in the store; the recipe's instructions and examples are in the teacher's digest already.</param>
internal sealed record RemotePrompt(IReadOnlyList<ChatMessage> Messages, string Text)
{
    /// <summary>More than any tokenizer makes of it.</summary>
    public long TokensAtMost => Messages.Sum(message => TokenUse.PromptAtMost(message.Text));

    public static RemotePrompt Of(Problem problem, RemoteTraceOptions options) => Of(problem, options.Instructions, options.Examples);

    /// <param name="instructions">System message of a problem that has none of its own; empty: none.</param>
    /// <param name="examples">Turns between the system message and the question.</param>
    public static RemotePrompt Of(Problem problem, string instructions, IReadOnlyList<Tokenization.ChatMessage>? examples = null)
    {
        List<ChatMessage> messages =
            [.. ProblemPrompt.Messages(problem).Select(message => new ChatMessage(new ChatRole(message.Role), message.Content))];
        string text = messages is [var only]
            ? only.Text
            : JsonSerializer.Serialize(messages.Select(message => (string[])[message.Role.Value, message.Text]));
        if (instructions.Length > 0 && messages.All(message => message.Role != ChatRole.System))
            messages.Insert(0, new ChatMessage(ChatRole.System, instructions));
        int first = messages[0].Role == ChatRole.System ? 1 : 0;
        messages.InsertRange(first, (examples ?? []).Select(turn => new ChatMessage(new ChatRole(turn.Role), turn.Content)));
        return new RemotePrompt(messages, text);
    }
}
