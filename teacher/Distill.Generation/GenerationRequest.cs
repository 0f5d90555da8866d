using Distill.Generation.Constraints;
using Distill.Tokenization;

namespace Distill.Generation;

/// <summary>One prompt to complete, one or several times.</summary>
public sealed record GenerationRequest
{
    private const int MostTokens = 1 << 24; // more than any vocabulary has, with its padding

    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>
    /// At least 1, or 0 with <see cref="ScorePrompt"/>. Prompt and completion together never exceed the model's length, whatever this says.
    /// </summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>How every completion is sampled, unless <see cref="SamplingBySeed"/> says otherwise.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>One entry per seed, or null: lets a greedy answer and samples of one prompt share its prefill.</summary>
    public IReadOnlyList<SamplingOptions>? SamplingBySeed { get; init; }

    /// <summary>Any of these ends the completion and is kept as its last token.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>One completion per seed: the prompt is read once and its cache copied. Same seed, same completion.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>
    /// How many tokens at the prompt's start many requests have in common (a system prompt, worked examples): a cache that holds them
    /// already is copied. They are read in a run of their own either way, so results do not depend on it. 0 shares nothing.
    /// </summary>
    public int SharedPrefix { get; init; }

    /// <summary>Asks for the text while it is made, and for its end at stop strings.</summary>
    public TextOutput? Text { get; init; }

    /// <summary>
    /// What every completion must be; null: anything. It needs <see cref="StopTokens"/>. Reported log-probabilities stay those of the
    /// model's own distribution, and processed ones those of what was left.
    /// </summary>
    public ITokenConstraint? Constraint { get; init; }

    /// <summary>Alternatives to report at every token (and at every prompt token with <see cref="ScorePrompt"/>). Default 0.</summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>
    /// Report the log-probability of every prompt token, from the same run that reads the prompt; nothing is shared then.
    /// </summary>
    public bool ScorePrompt { get; init; }

    public SamplingOptions SamplingOf(int seedIndex) => SamplingBySeed is { } each ? each[seedIndex] : Sampling;

    /// <exception cref="ArgumentException">The request cannot be served by a model of this vocabulary and length.</exception>
    public void Validate(int vocabularySize, int maxLength)
    {
        if (Prompt.Count == 0) throw new ArgumentException("The prompt is empty; generation needs at least one token to start from.");
        bool scoresOnly = ScorePrompt && MaxNewTokens == 0;
        if (scoresOnly ? Prompt.Count > maxLength : Prompt.Count >= maxLength)
            throw new ArgumentException(
                $"The prompt has {Prompt.Count} tokens and leaves no room to answer: the model reads {maxLength} at most.");
        if (MaxNewTokens < (ScorePrompt ? 0 : 1))
            throw new ArgumentException($"MaxNewTokens {MaxNewTokens} must be at least 1, or 0 when only the prompt is scored.");
        if (SharedPrefix < 0 || SharedPrefix > Prompt.Count)
            throw new ArgumentException($"SharedPrefix {SharedPrefix} must be in 0..{Prompt.Count}, the prompt's length.");
        if (TopLogProbabilities < 0) throw new ArgumentException($"TopLogProbabilities {TopLogProbabilities} must not be negative.");
        if (Constraint is not null && StopTokens.Count == 0)
            throw new ArgumentException("A constraint needs stop tokens: nothing else can end the completion.");
        foreach (int token in StopTokens)
        {
            if (token is < 0 or >= MostTokens) throw new ArgumentException($"Stop token {token} is none of 0..{MostTokens - 1}.");
        }

        foreach (int token in Prompt)
        {
            if ((uint)token >= (uint)vocabularySize)
                throw new ArgumentException($"Prompt token {token} is outside the vocabulary 0..{vocabularySize - 1}.");
        }

        if (SamplingBySeed is not null && SamplingBySeed.Count != Seeds.Count)
            throw new ArgumentException($"SamplingBySeed has {SamplingBySeed.Count} entries for {Seeds.Count} seeds.");
        foreach (SamplingOptions sampling in SamplingBySeed ?? [Sampling])
        {
            sampling.Validate();
            foreach (int token in sampling.LogitBias?.Keys ?? [])
            {
                if (token >= vocabularySize)
                    throw new ArgumentException($"Logit bias token {token} is outside the vocabulary 0..{vocabularySize - 1}.");
            }
        }
    }
}

/// <summary>Asks for a completion's text while it is made, and for its end at the first of some strings. Immutable.</summary>
public sealed class TextOutput
{
    /// <param name="stopStrings">None may be empty.</param>
    /// <param name="skipSpecial">Control tokens leave no trace in the text.</param>
    public TextOutput(Tokenizer tokenizer, IReadOnlyList<string>? stopStrings = null, bool skipSpecial = true)
    {
        Tokenizer = tokenizer;
        StopStrings = [.. stopStrings ?? []];
        SkipSpecial = skipSpecial;
        if (StopStrings.Any(stop => stop.Length == 0))
            throw new ArgumentException("An empty stop string would end every completion at once.", nameof(stopStrings));
    }

    public Tokenizer Tokenizer { get; }

    public IReadOnlyList<string> StopStrings { get; }

    public bool SkipSpecial { get; }

    /// <summary>
    /// Whether stop strings end a completion between the marks of thinking, too. False leaves the reasoning whole: what is asked to end is
    /// the answer. Default true.
    /// </summary>
    public bool StopsInReasoning { get; init; } = true;
}
