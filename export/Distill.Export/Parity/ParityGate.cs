using Distill.Generation;

namespace Distill.Export.Parity;

/// <summary>
/// Holds an exported model against the one it was made from: logits at every position of given sequences, and greedy tokens decoded through
/// the exported model's cache. The reference reads each decoded sequence whole, so every choice is checked given the tokens before it:
/// the runs are equal exactly when no choice differs.
/// </summary>
public sealed class ParityGate
{
    // Logits kept while a batch is decoded; large vocabularies decode fewer prompts together.
    private const long MaxLogitsKept = 64L << 20;

    private readonly IReferenceModel reference;
    private readonly ITokenModel exported;

    /// <exception cref="InvalidDataException">The vocabularies differ: these are not the same model.</exception>
    public ParityGate(IReferenceModel reference, ITokenModel exported)
    {
        if (reference.VocabularySize != exported.VocabularySize)
            throw new InvalidDataException(
                $"The exported model has {exported.VocabularySize} tokens and the reference {reference.VocabularySize}.");
        this.reference = reference;
        this.exported = exported;
    }

    /// <param name="progress">Told the share done, from 0 to 1.</param>
    /// <exception cref="ArgumentException">A sequence or prompt is empty or longer than the model reads.</exception>
    /// <exception cref="OperationCanceledException">Between two sequences.</exception>
    public ParityReport Run(ParityInputs inputs, ParityTolerance tolerance, Action<double>? progress = null,
        CancellationToken cancellation = default)
    {
        foreach (var ids in inputs.Sequences) RequireLength(ids, exported.MaxLength);
        foreach (var ids in inputs.Prompts) RequireLength(ids, exported.MaxLength - 1);
        var comparison = new LogitComparison();
        double done = 0, all = Math.Max(1, inputs.Sequences.Count + inputs.Prompts.Count);
        foreach (var sequence in inputs.Sequences)
        {
            cancellation.ThrowIfCancellationRequested();
            CompareSequence(sequence, comparison);
            progress?.Invoke(++done / all);
        }

        foreach (var prompts in inputs.Prompts.Chunk(SlotsFor(inputs)))
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var row in GreedyDecoding.Run(exported, prompts, inputs.MaxNewTokens, inputs.StopTokens))
                CompareGreedy(row, comparison);
            progress?.Invoke((done += prompts.Length) / all);
        }

        return comparison.Report(tolerance);
    }

    private void CompareSequence(IReadOnlyList<int> sequence, LogitComparison comparison)
    {
        int[] ids = [.. sequence];
        int vocabulary = exported.VocabularySize;
        float[] given = new float[ids.Length * vocabulary], expected = new float[ids.Length * vocabulary]; // [time, vocab]
        using (var session = exported.Open(1, Math.Max(2, ids.Length))) session.Prefill(0, ids, given);
        reference.Logits(ids, expected);
        for (int position = 0; position < ids.Length; position++)
            comparison.Add(given.AsSpan(position * vocabulary, vocabulary), expected.AsSpan(position * vocabulary, vocabulary));
    }

    private void CompareGreedy(GreedyRow row, LogitComparison comparison)
    {
        int vocabulary = exported.VocabularySize;
        int[] ids = [.. row.Prompt, .. row.Tokens[..^1]]; // the last token is chosen but never read
        float[] expected = new float[ids.Length * vocabulary];
        reference.Logits(ids, expected);
        for (int i = 0; i < row.Tokens.Count; i++)
        {
            var logits = expected.AsSpan((row.Prompt.Count - 1 + i) * vocabulary, vocabulary);
            comparison.Add(row.Logits[i], logits);
            comparison.AddChoice(row.Tokens[i], logits);
        }
    }

    private int SlotsFor(ParityInputs inputs) =>
        (int)Math.Clamp(MaxLogitsKept / ((long)exported.VocabularySize * inputs.MaxNewTokens), 1, inputs.Slots);

    private static void RequireLength(IReadOnlyList<int> ids, int most)
    {
        if (ids.Count == 0 || ids.Count > most)
            throw new ArgumentException($"A sequence of {ids.Count} tokens cannot be compared; the model reads 1 to {most}.");
    }
}
