namespace Distill.Generation;

/// <summary>
/// Log-probabilities of given sequences. A sequence is read in parts, so its length × vocabulary is never held at once. Owns a session
/// of one slot, not the model: dispose it before the model. One thread at a time.
/// </summary>
internal sealed class TokenScorer : IDisposable
{
    private readonly int vocabularySize;
    private readonly IDecodeSession session;

    /// <param name="maxLength">Longest sequence that will be scored; default: the model's.</param>
    /// <exception cref="ArgumentException">The model cannot read so many tokens, or its cache would be larger than allowed.</exception>
    public TokenScorer(ITokenModel model, int? maxLength = null)
    {
        vocabularySize = model.VocabularySize;
        session = model.Open(1, maxLength ?? model.MaxLength);
    }

    /// <summary>Most tokens of a sequence.</summary>
    public int MaxLength => session.MaxLength;

    /// <summary>
    /// Whether the model gives the logits of every position; graphs that give the last one's only cannot score. Runs two tokens.
    /// </summary>
    /// <param name="maxLength">As for scoring: a sliding-window cache must hold its window.</param>
    public static bool CanScore(ITokenModel model, int maxLength)
    {
        using var session = model.Open(1, maxLength);
        try
        {
            session.Prefill(0, [0, 0], new float[2 * model.VocabularySize]);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    /// <param name="tokens">At least one. The first has no log-probability: nothing precedes it.</param>
    /// <param name="top">How many of the most probable tokens to name at each position.</param>
    /// <exception cref="ArgumentException">No token, too many, or one outside the vocabulary.</exception>
    /// <exception cref="InvalidDataException">The model's logits are not finite.</exception>
    /// <exception cref="NotSupportedException">See <see cref="CanScore"/>.</exception>
    /// <exception cref="OperationCanceledException">Between two parts; the scorer can be used again.</exception>
    public TokenScores Score(ReadOnlySpan<int> tokens, int top = 0, CancellationToken cancellation = default)
    {
        Validate(tokens);
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        session.Clear(0);
        return Read(tokens.ToArray(), top, cancellation);
    }

    /// <summary>
    /// Scores several continuations of one prompt, which is read once: each costs its own tokens and one of the prompt, whose last token
    /// is read again with each.
    /// </summary>
    /// <param name="prompt">At least one token; has no scores.</param>
    /// <param name="continuations">Each at least one token.</param>
    /// <returns>Of each continuation: an entry a token, from its first on.</returns>
    /// <inheritdoc cref="Score(ReadOnlySpan{int}, int, CancellationToken)"/>
    public IReadOnlyList<TokenScores> Score(
        ReadOnlySpan<int> prompt, IReadOnlyList<int[]> continuations, int top = 0, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        foreach (int[] continuation in continuations) Validate([.. prompt, .. continuation]);
        session.Clear(0);
        int shared = prompt.Length - 1;
        if (shared > 0 && continuations.Count > 0) ReadUnscored(prompt[..shared]);
        var scores = new TokenScores[continuations.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            session.Truncate(0, shared);
            scores[i] = Read([prompt[^1], .. continuations[i]], top, cancellation);
        }

        return scores;
    }

    public void Dispose() => session.Dispose();

    /// <summary>Appends tokens to what the session holds, and scores each but the first.</summary>
    private TokenScores Read(int[] tokens, int top, CancellationToken cancellation)
    {
        var scoring = new SequenceScoring(tokens, top, vocabularySize);
        int part = SequenceScoring.PartLength(vocabularySize);
        for (int start = 0; start < tokens.Length - 1; start += part)
        {
            cancellation.ThrowIfCancellationRequested();
            int length = Math.Min(part, tokens.Length - start);
            if (session is ISamplingSession beside) scoring.Read(beside, 0, start, length);
            else scoring.Read(session, 0, start, length);
        }

        return scoring.ToScores();
    }

    private void ReadUnscored(ReadOnlySpan<int> tokens)
    {
        if (session is ISamplingSession beside) beside.Prefill(0, tokens);
        else session.Prefill(0, tokens, new float[vocabularySize]);
    }

    private void Validate(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty) throw new ArgumentException("There is no token to score.", nameof(tokens));
        if (tokens.Length > MaxLength)
            throw new ArgumentException($"{tokens.Length} tokens are more than the {MaxLength} that can be read.", nameof(tokens));
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)vocabularySize)
                throw new ArgumentException($"Token {token} is outside the vocabulary 0..{vocabularySize - 1}.", nameof(tokens));
        }
    }
}
