using System.Text.Json;
using Distill.Data.Problems;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Collection;

/// <summary>A problem as it is put to a remote teacher. Immutable.</summary>
/// <param name="Text">Names the prompt in the store; the recipe's instructions are in the teacher's digest already.</param>
internal sealed record RemotePrompt(IReadOnlyList<ChatMessage> Messages, string Text)
{
    /// <param name="instructions">System message of a problem that has none of its own; empty: none.</param>
    public static RemotePrompt Of(Problem problem, string instructions)
    {
        List<ChatMessage> messages =
            [.. ProblemPrompt.Messages(problem).Select(message => new ChatMessage(new ChatRole(message.Role), message.Content))];
        string text = messages is [var only]
            ? only.Text
            : JsonSerializer.Serialize(messages.Select(message => (string[])[message.Role.Value, message.Text]));
        if (instructions.Length > 0 && messages.All(message => message.Role != ChatRole.System))
            messages.Insert(0, new ChatMessage(ChatRole.System, instructions));
        return new RemotePrompt(messages, text);
    }
}
