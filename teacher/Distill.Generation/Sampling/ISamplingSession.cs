namespace Distill.Generation;

/// <summary>
/// A session whose logits stay where they are computed, a GPU's memory for example, and which chooses and scores tokens there: what comes
/// back are chosen ids and numbers about them, never [rows, vocab]. Uniform numbers are the caller's, so a choice is the same function of
/// logits, options and seed as <see cref="Sampler"/>'s, up to rounding. The members of <see cref="IDecodeSession"/> that copy logits to the
/// host work as well.
/// </summary>
internal interface ISamplingSession : IDecodeSession
{
    /// <summary>
    /// Appends tokens to a slot. The logits of the last position stay with the session under the slot's number, whatever becomes of the
    /// slot's cache, until the next prompt is read into that slot.
    /// </summary>
    void Prefill(int slot, ReadOnlySpan<int> tokens);

    /// <summary>As <see cref="Prefill(int, ReadOnlySpan{int})"/>, and tells what the model thought of the tokens that follow.</summary>
    /// <param name="following">Token after each of <paramref name="tokens"/>; may lack the last one, which may be unknown.</param>
    /// <param name="scores">Holds <paramref name="following"/>'s log-probabilities afterwards.</param>
    /// <exception cref="InvalidDataException">The logits are not finite.</exception>
    /// <exception cref="NotSupportedException">The graph gives the last position only; nothing was read.</exception>
    void Score(int slot, ReadOnlySpan<int> tokens, ReadOnlySpan<int> following, FollowingScores scores);

    /// <summary>
    /// Appends one token to each of the slots 0..n−1; their logits stay with the session until the next step. n is the number of tokens.
    /// </summary>
    void Step(ReadOnlySpan<int> tokens);

    /// <summary>Chooses the token that follows the last step in each of the slots 0..n−1; n is the number of queries.</summary>
    /// <param name="answers">Holds n answers afterwards.</param>
    void ChooseNext(ReadOnlySpan<TokenQuery> queries, TokenAnswers answers);

    /// <summary>Chooses first tokens of several completions of the prompt that was read into a slot.</summary>
    /// <inheritdoc cref="ChooseNext"/>
    void ChooseFirst(int promptSlot, ReadOnlySpan<TokenQuery> queries, TokenAnswers answers);

    /// <summary>Copies the logits that <see cref="ChooseNext"/> reads for one slot to the host, [vocab].</summary>
    void CopyNext(int slot, Span<float> logits);

    /// <summary>Copies the logits that <see cref="ChooseFirst"/> reads to the host, [vocab].</summary>
    void CopyFirst(int promptSlot, Span<float> logits);
}

/// <summary>How one row's next token is to be chosen.</summary>
/// <param name="Uniform">In [0, 1); ignored when greedy.</param>
/// <param name="History">Prompt and completion so far; read only when there is a penalty.</param>
/// <param name="Top">How many of the most probable tokens to name beside it.</param>
/// <param name="CompletionStart">Where in the history the completion begins.</param>
internal readonly record struct TokenQuery(
    SamplingOptions Sampling, double Uniform, ReadOnlyMemory<int> History, int Top, int CompletionStart = 0);

/// <summary>What a session chose: room that is used again. The session fills it; one thread.</summary>
internal sealed class TokenAnswers
{
    private TokenChoice[] choices = [];
    private float[] largest = [];
    private int[] topIds = [];
    private float[] topRaw = [];
    private float[] topProcessed = [];

    public int Count { get; private set; }

    /// <summary>Alternatives of every row: the most that a query asked for, or the vocabulary when that is smaller.</summary>
    public int Top { get; private set; }

    /// <exception cref="InvalidDataException">The row's logits are not finite, or a bias forbids every token.</exception>
    public TokenChoice Choice(int row) => float.IsFinite(largest[row]) ? choices[row] : throw Sampler.NotFinite(largest[row]);

    /// <summary>The row's alternatives, most probable first, ties to the lower id.</summary>
    public ReadOnlySpan<int> TopIds(int row) => topIds.AsSpan(row * Top, Top);

    /// <summary>Their log-probabilities under the raw distribution.</summary>
    public ReadOnlySpan<float> TopRaw(int row) => topRaw.AsSpan(row * Top, Top);

    /// <summary>Their log-probabilities under the distribution that was drawn from.</summary>
    public ReadOnlySpan<float> TopProcessed(int row) => topProcessed.AsSpan(row * Top, Top);

    public void Resize(int count, int top)
    {
        (Count, Top) = (count, top);
        if (choices.Length < count) (choices, largest) = (new TokenChoice[count], new float[count]);
        int entries = count * top;
        if (topIds.Length < entries) (topIds, topRaw, topProcessed) = (new int[entries], new float[entries], new float[entries]);
    }

    /// <param name="greatest">Largest logit; not finite when the row has no distribution.</param>
    public void Set(int row, float greatest, in TokenChoice choice) => (largest[row], choices[row]) = (greatest, choice);

    public void SetTop(int row, int rank, int id, float raw, float processed)
    {
        int place = (row * Top) + rank;
        (topIds[place], topRaw[place], topProcessed[place]) = (id, raw, processed);
    }
}

/// <summary>Where the scores of given tokens go: parts of the caller's arrays.</summary>
/// <param name="LogProbabilities">[tokens], natural logarithms under the raw distribution.</param>
/// <param name="Top">Alternatives per token.</param>
/// <param name="TopIds">[tokens × top], best first, ties to the lower id.</param>
/// <param name="TopValues">[tokens × top], their log-probabilities.</param>
internal readonly record struct FollowingScores(Memory<double> LogProbabilities, int Top, Memory<int> TopIds, Memory<float> TopValues);
