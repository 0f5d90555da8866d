using Distill.Generation;
using Distill.Serving.Protocol;

namespace Distill.Serving.Endpoints;

/// <summary>What chat completions report of tokens.</summary>
internal static class ChatLogProbabilityReader
{
    public static ChatLogProbabilities Of(Completion completion, TokenSpelling spelling) =>
        new([.. completion.Tokens.Select((token, position) =>
        Entry(token, completion.LogProbabilities[position], Alternatives(completion.Top, position, spelling), spelling))]);

    /// <summary>One token, without alternatives.</summary>
    public static ChatLogProbabilities Of(TokenChoice choice, TokenSpelling spelling) =>
        new([Entry(choice.Token, choice.LogProbability, [], spelling)]);

    private static ChatTokenLogProbability Entry(
        int token, float score, IReadOnlyList<ChatTopLogProbability> top, TokenSpelling spelling) =>
        new(spelling.Of(token), ApiJson.Finite(score), spelling.BytesOf(token), top);

    private static IReadOnlyList<ChatTopLogProbability> Alternatives(TopLogProbabilities? top, int position, TokenSpelling spelling) =>
        top is null ? [] :
        [.. Enumerable.Range(position * top.Count, top.Count).Select(at =>
            new ChatTopLogProbability(spelling.Of(top.Ids[at]), ApiJson.Finite(top.LogProbabilities[at]), spelling.BytesOf(top.Ids[at])))];
}
