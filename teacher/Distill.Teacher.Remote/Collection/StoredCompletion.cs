using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Collection;

/// <summary>A completion as the endpoint gave it.</summary>
/// <param name="Reasoning">Apart from the text where the endpoint separates it; otherwise empty and the text holds the marks, if any.</param>
/// <param name="FinishReason">The endpoint's word; empty when there was none.</param>
/// <param name="PromptTokens">As the endpoint counted; estimated where it does not.</param>
/// <param name="CompletionTokens">Likewise, reasoning included.</param>
public sealed record StoredCompletion(string Reasoning, string Text, string FinishReason, int PromptTokens, int CompletionTokens)
{
    // English text in common vocabularies.
    private const int CharactersPerToken = 4;

    /// <summary>Takes out of a response what is kept of it.</summary>
    public static StoredCompletion Of(ChatResponse response, string prompt)
    {
        string reasoning = string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text));
        return new StoredCompletion(
            reasoning,
            response.Text,
            response.FinishReason?.Value ?? "",
            Count(response.Usage?.InputTokenCount, prompt.Length),
            Count(response.Usage?.OutputTokenCount, reasoning.Length + response.Text.Length));
    }

    private static int Count(long? counted, int characters) => (int)Math.Clamp(counted ?? (characters + CharactersPerToken - 1) / CharactersPerToken, 0, int.MaxValue);
}
