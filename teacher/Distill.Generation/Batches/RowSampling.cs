namespace Distill.Generation;

/// <summary>Where a batch's tokens are chosen: on the host, from logits that the session copies there, or beside the session.</summary>
internal abstract class RowSampling
{
    public static RowSampling Of(IDecodeSession session, int vocabularySize) =>
        session is ISamplingSession beside ? new SessionRowSampling(beside, vocabularySize) : new HostRowSampling(session, vocabularySize);

    /// <summary>Whether rows of one prompt that begin together cost less than one after the other.</summary>
    public abstract bool BeginsTogether { get; }

    /// <summary>Makes ready what rows of a prompt begin with.</summary>
    /// <param name="promptSlot">The slot that the prompt was read into.</param>
    /// <param name="slots">Where the rows are.</param>
    public abstract void Begin(int promptSlot, GenerationRow?[] rows, List<int> slots);

    /// <summary>Samples a row's first token; true when that ended its completion.</summary>
    /// <param name="place">The row's place among those that <see cref="Begin"/> got.</param>
    /// <exception cref="InvalidDataException">Its logits are not finite.</exception>
    public abstract bool First(GenerationRow row, int place);

    /// <summary>Runs one step over rows 0..n−1; n is the number of tokens.</summary>
    public abstract void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<GenerationRow?> rows);

    /// <inheritdoc cref="First"/>
    public abstract bool Next(GenerationRow row, int slot);
}

/// <summary>Logits come to the host, [rows, vocab], and a <see cref="Sampler"/> reads them.</summary>
internal sealed class HostRowSampling(IDecodeSession session, int vocabularySize) : RowSampling
{
    private readonly Sampler sampler = new(vocabularySize);
    private readonly float[] logits = new float[(long)session.Slots * vocabularySize];

    public override bool BeginsTogether => false;

    public override void Begin(int promptSlot, GenerationRow?[] rows, List<int> slots)
    {
    }

    public override bool First(GenerationRow row, int place) => row.Advance(row.Prompt.Logits, sampler);

    public override void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<GenerationRow?> rows) =>
        session.Step(tokens, logits.AsSpan(0, tokens.Length * vocabularySize));

    public override bool Next(GenerationRow row, int slot) =>
        row.Advance(logits.AsSpan(slot * vocabularySize, vocabularySize), sampler);
}

/// <summary>
/// The session chooses; all rows of a step, or of a prompt, in one go. Rows under a constraint are chosen on the host, from their logits
/// alone.
/// </summary>
internal sealed class SessionRowSampling(ISamplingSession session, int vocabularySize) : RowSampling
{
    private readonly TokenAnswers answers = new();
    private readonly TokenQuery[] queries = new TokenQuery[session.Slots];
    private Sampler? sampler; // for rows under a constraint, as the logits
    private float[] logits = [];
    private int promptSlot;

    public override bool BeginsTogether => true;

    public override void Begin(int promptSlot, GenerationRow?[] rows, List<int> slots)
    {
        this.promptSlot = promptSlot;
        for (int i = 0; i < slots.Count; i++) queries[i] = Query(rows[slots[i]]!);
        session.ChooseFirst(promptSlot, queries.AsSpan(0, slots.Count), answers);
    }

    public override bool First(GenerationRow row, int place)
    {
        if (!row.NeedsLogits) return row.Take(answers, place);
        session.CopyFirst(promptSlot, Room());
        return row.Advance(logits, sampler!);
    }

    public override void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<GenerationRow?> rows)
    {
        session.Step(tokens);
        for (int slot = 0; slot < tokens.Length; slot++) queries[slot] = Query(rows[slot]!);
        session.ChooseNext(queries.AsSpan(0, tokens.Length), answers);
    }

    public override bool Next(GenerationRow row, int slot)
    {
        if (!row.NeedsLogits) return row.Take(answers, slot);
        session.CopyNext(slot, Room());
        return row.Advance(logits, sampler!);
    }

    // The answer to a row that is chosen on the host is not read.
    private static TokenQuery Query(GenerationRow row) => row.NeedsLogits ? new(SamplingOptions.Greedy, 0, default, 0) : row.Ask();

    private float[] Room()
    {
        sampler ??= new Sampler(vocabularySize);
        if (logits.Length == 0) logits = new float[vocabularySize];
        return logits;
    }
}
