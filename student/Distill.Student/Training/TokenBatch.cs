namespace Distill.Student.Training;

/// <summary>
/// Whole sequences laid end to end without padding. Attention never crosses from one to the next and positions restart, so
/// nothing leaks between examples. Immutable.
/// </summary>
public sealed class TokenBatch
{
    /// <exception cref="ArgumentException">A sequence is empty or supervises nothing: a mask that is all zero trains nothing and looks healthy.</exception>
    public TokenBatch(IReadOnlyList<TrainingSequence> sequences)
    {
        Sequences = sequences;
        int tokens = sequences.Sum(sequence => sequence.Tokens.Count), supervised = sequences.Sum(sequence => sequence.SupervisedCount);
        Tokens = new int[tokens];
        Positions = new int[tokens];
        Starts = new int[sequences.Count + 1];
        PredictedFrom = new int[supervised];
        Targets = new int[supervised];
        SupervisedStarts = new int[sequences.Count + 1];
        for (int index = 0; index < sequences.Count; index++) Append(index, sequences[index]);
    }

    public IReadOnlyList<TrainingSequence> Sequences { get; }

    /// <summary>[tokens]</summary>
    public int[] Tokens { get; }

    /// <summary>[tokens], restarting at 0 with every sequence.</summary>
    public int[] Positions { get; }

    /// <summary>[sequences + 1]: where each sequence begins; the last entry is the number of tokens.</summary>
    public int[] Starts { get; }

    /// <summary>[supervised]: the position whose output predicts each learned token.</summary>
    public int[] PredictedFrom { get; }

    /// <summary>[supervised]: the learned tokens.</summary>
    public int[] Targets { get; }

    /// <summary>[sequences + 1]: where each sequence's learned tokens begin among all of them.</summary>
    public int[] SupervisedStarts { get; }

    private void Append(int index, TrainingSequence sequence)
    {
        if (sequence.FirstSupervised < 1 || sequence.SupervisedCount < 1)
            throw new ArgumentException($"Sequence {index} has {sequence.Tokens.Count} tokens and supervises from {sequence.FirstSupervised}: at least one learned token after a prompt is needed.");
        int start = Starts[index], learned = SupervisedStarts[index];
        for (int i = 0; i < sequence.Tokens.Count; i++)
        {
            Tokens[start + i] = sequence.Tokens[i];
            Positions[start + i] = i;
        }

        for (int i = sequence.FirstSupervised; i < sequence.Tokens.Count; i++)
        {
            PredictedFrom[learned] = start + i - 1;
            Targets[learned++] = sequence.Tokens[i];
        }

        Starts[index + 1] = start + sequence.Tokens.Count;
        SupervisedStarts[index + 1] = learned;
    }
}
