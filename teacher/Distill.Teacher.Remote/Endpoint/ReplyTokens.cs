using System.Globalization;
using System.Text.Json;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>
/// The tokens of an answer with their log-probabilities and alternatives, in order, as vLLM gives them beside the text. Not thread-safe.
/// </summary>
internal sealed class ReplyTokens
{
    private readonly List<ScoredToken> tokens = [];

    public int Count => tokens.Count;

    public IReadOnlyList<ScoredToken> Tokens => tokens;

    public void Add(ScoredToken token) => tokens.Add(token);

    public void Add(ReplyTokens others) => tokens.AddRange(others.tokens);
}

/// <summary>A token, its log-probability, and tokens that could have stood in its place, as the server sent them.</summary>
internal readonly record struct ScoredToken(int Id, float LogProbability, IReadOnlyList<TokenAlternative> Alternatives);

internal readonly record struct TokenAlternative(int Id, float LogProbability);

/// <summary>
/// <c>token_ids</c> and <c>logprobs</c> of a choice of vLLM, which writes a token as <c>token_id:N</c> when asked to. What is incomplete or
/// makes no sense is no tokens: the text is there all the same.
/// </summary>
internal static class TokenJson
{
    private const string Mark = "token_id:";

    /// <summary>Null where there are none.</summary>
    public static ReplyTokens? Read(JsonElement choice)
    {
        if (choice.ValueKind != JsonValueKind.Object || !choice.TryGetProperty("logprobs", out var scores)
            || scores.ValueKind != JsonValueKind.Object || !scores.TryGetProperty("content", out var content)
            || content.ValueKind != JsonValueKind.Array)
            return null;
        var tokens = new ReplyTokens();
        foreach (var entry in content.EnumerateArray())
        {
            if (Alternative(entry) is not { } token) return null;
            tokens.Add(new ScoredToken(token.Id, token.LogProbability, Alternatives(entry)));
        }

        return Agrees(choice, tokens) ? tokens : null;
    }

    private static List<TokenAlternative> Alternatives(JsonElement entry) =>
        entry.TryGetProperty("top_logprobs", out var top) && top.ValueKind == JsonValueKind.Array
            ? [.. top.EnumerateArray().Select(Alternative).OfType<TokenAlternative>()]
            : [];

    private static TokenAlternative? Alternative(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("token", out var token)
            || token.ValueKind != JsonValueKind.String || !entry.TryGetProperty("logprob", out var score)
            || score.ValueKind != JsonValueKind.Number || !score.TryGetSingle(out float value) || !float.IsFinite(value))
            return null;
        string text = JsonText.Of(token);
        return text.StartsWith(Mark, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(Mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
            ? new TokenAlternative(id, Math.Min(value, 0))
            : null;
    }

    // Two lists of one thing: where they differ neither can be trusted.
    private static bool Agrees(JsonElement choice, ReplyTokens tokens)
    {
        if (!choice.TryGetProperty("token_ids", out var ids) || ids.ValueKind != JsonValueKind.Array) return true;
        return ids.GetArrayLength() == tokens.Count
            && ids.EnumerateArray().Zip(tokens.Tokens, (id, token) => id.ValueKind == JsonValueKind.Number
                && id.TryGetInt32(out int number) && number == token.Id).All(same => same);
    }
}
