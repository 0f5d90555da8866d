using System.Runtime.InteropServices;
using Distill.Teacher.Remote.Endpoint;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Collection;

/// <summary>A completion as the endpoint gave it.</summary>
/// <param name="Reasoning">
/// Apart from the text where the endpoint separates it; otherwise empty and the text holds the marks, if any.
/// </param>
/// <param name="FinishReason">The endpoint's word; empty when there was none.</param>
/// <param name="PromptTokens">As the endpoint counted; estimated where it does not.</param>
/// <param name="CompletionTokens">Likewise, reasoning included.</param>
/// <param name="Refusal">What the model or a filter said in place of an answer; null for an ordinary one.</param>
/// <param name="ToolCall">The tool that the model wanted called, with its arguments; null for an ordinary answer.</param>
/// <param name="Tokens">Null where they were not asked for.</param>
internal sealed record StoredCompletion(
    string Reasoning, string Text, string FinishReason, int PromptTokens, int CompletionTokens, string? Refusal = null,
    string? ToolCall = null, StoredTokens? Tokens = null)
{
    // English text in common vocabularies.
    private const int CharactersPerToken = 4;

    /// <summary>Takes out of a response what is kept of it.</summary>
    /// <param name="alternatives">Kept beside each token; null keeps no tokens.</param>
    public static StoredCompletion Of(ChatResponse response, string prompt, int? alternatives = null)
    {
        List<AIContent> contents = [.. response.Messages.SelectMany(message => message.Contents)];
        string reasoning = string.Concat(contents.OfType<TextReasoningContent>().Select(content => content.Text));
        var tool = contents.OfType<FunctionCallContent>().FirstOrDefault();
        return new StoredCompletion(
            reasoning,
            response.Text,
            response.FinishReason?.Value ?? "",
            Count(response.Usage?.InputTokenCount, prompt.Length),
            Count(response.Usage?.OutputTokenCount, reasoning.Length + response.Text.Length),
            contents.OfType<ErrorContent>().FirstOrDefault()?.Message,
            tool is null ? null : $"{tool.Name}({string.Join(", ", tool.Arguments?.Values.Select(value => $"{value}") ?? [])})",
            alternatives is { } beside ? StoredTokens.Of(response, beside) : null);
    }

    private static int Count(long? counted, int characters) =>
        (int)Math.Clamp(counted ?? (characters + CharactersPerToken - 1) / CharactersPerToken, 0, int.MaxValue);
}

/// <summary>
/// The tokens of a completion: little-endian numbers, four bytes each, which JSON holds as base64 in half the room of digits.
/// </summary>
/// <param name="Ids">One a token, the end token included.</param>
/// <param name="Scores">Log-probability of each.</param>
/// <param name="TopIds">The most probable tokens at each position, best first, flattened [token, k].</param>
/// <param name="TopScores">Log-probabilities of these.</param>
internal sealed record StoredTokens(byte[] Ids, byte[] Scores, byte[] TopIds, byte[] TopScores)
{
    public int[] ToIds() => Numbers<int>(Ids);

    public float[] ToScores() => Numbers<float>(Scores);

    public int[] ToTopIds() => Numbers<int>(TopIds);

    public float[] ToTopScores() => Numbers<float>(TopScores);

    /// <summary>Null where the server sent none, or not of every token.</summary>
    public static StoredTokens? Of(ChatResponse response, int alternatives)
    {
        if (response.AdditionalProperties?.TryGetValue(ReplyAssembly.TokensProperty, out var found) != true
            || found is not ReplyTokens sent)
            return null;
        if (response.Usage?.OutputTokenCount is { } counted && counted != sent.Count) return null;
        TokenAlternative[][] top = [.. sent.Tokens.Select(token => Best(token, alternatives))];
        if (top.Any(best => best.Length != alternatives)) return null;
        TokenAlternative[] flat = [.. top.SelectMany(best => best)];
        return new StoredTokens(
            Bytes<int>([.. sent.Tokens.Select(token => token.Id)]),
            Bytes<float>([.. sent.Tokens.Select(token => token.LogProbability)]),
            Bytes<int>([.. flat.Select(each => each.Id)]),
            Bytes<float>([.. flat.Select(each => each.LogProbability)]));
    }

    private static TokenAlternative[] Best(ScoredToken token, int alternatives) =>
    [
        .. token.Alternatives.DistinctBy(each => each.Id).OrderByDescending(each => each.LogProbability).ThenBy(each => each.Id)
            .Take(alternatives),
    ];

    private static byte[] Bytes<T>(T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();

    private static T[] Numbers<T>(byte[] bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes).ToArray();
}
