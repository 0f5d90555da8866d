using Distill.Generation;
using Distill.Serving.Protocol;
using Distill.Tokenization;

namespace Distill.Serving.Endpoints;

/// <summary>Gathers what is reported of tokens, in the order of the text. One text; not thread-safe.</summary>
internal sealed class CompletionLogProbabilityReader(TokenSpelling spelling, Tokenizer tokenizer)
{
    private readonly List<string> tokens = [];
    private readonly List<double?> scores = [];
    private readonly List<IReadOnlyDictionary<string, double>?> alternatives = [];
    private readonly List<int> offsets = [];
    private int offset;

    /// <summary>An echoed prompt; its first token has no probability.</summary>
    public void AddPrompt(IReadOnlyList<int> ids, TokenScores prompt)
    {
        var decoder = new IncrementalDecoder(tokenizer);
        for (int i = 0; i < ids.Count; i++)
            Add(ids[i], i == 0 ? null : (float)prompt.LogProbabilities[i - 1], i == 0 ? null : prompt.Top, i - 1, decoder.Push(ids[i]));
    }

    public void AddCompletion(Completion completion)
    {
        var decoder = new IncrementalDecoder(tokenizer, skipSpecial: true);
        for (int i = 0; i < completion.Tokens.Count; i++)
            Add(completion.Tokens[i], completion.LogProbabilities[i], completion.Top, i, decoder.Push(completion.Tokens[i]));
    }

    /// <param name="text">What the token adds.</param>
    public void AddToken(TokenChoice choice, string text) => Add(choice.Token, choice.LogProbability, null, 0, text);

    /// <summary>What was added since the last call.</summary>
    public CompletionLogProbabilities Take()
    {
        var taken = new CompletionLogProbabilities([.. tokens], [.. scores], [.. alternatives], [.. offsets]);
        tokens.Clear();
        scores.Clear();
        alternatives.Clear();
        offsets.Clear();
        return taken;
    }

    private void Add(int id, float? score, TopLogProbabilities? top, int position, string text)
    {
        tokens.Add(spelling.Of(id));
        scores.Add(score is { } value ? ApiJson.Finite(value) : null);
        alternatives.Add(score is { } own ? Alternatives(id, own, top, position) : null);
        offsets.Add(offset);
        offset += text.EnumerateRunes().Count();
    }

    // Of tokens with one spelling the most probable counts, so that nobody takes the token at hand for the best when it is not.
    private Dictionary<string, double> Alternatives(int id, float score, TopLogProbabilities? top, int position)
    {
        var named = new Dictionary<string, double>();
        for (int rank = 0; rank < (top?.Count ?? 0); rank++)
        {
            int at = (position * top!.Count) + rank;
            named.TryAdd(spelling.Of(top.Ids[at]), ApiJson.Finite(top.LogProbabilities[at]));
        }

        named.TryAdd(spelling.Of(id), ApiJson.Finite(score));
        return named;
    }
}
