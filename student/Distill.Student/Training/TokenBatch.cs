using System.Diagnostics.CodeAnalysis;

namespace Distill.Student.Training;

/// <summary>One example: whole token sequence, of which everything from <paramref name="FirstSupervised"/> on is learned.</summary>
/// <param name="Tokens">Prompt and completion.</param>
/// <param name="FirstSupervised">Index of the first learned token, at least 1: a token is predicted from what precedes it.</param>
public record TrainingSequence(IReadOnlyList<int> Tokens, int FirstSupervised)
{
    public int SupervisedCount => Tokens.Count - FirstSupervised;
}

/// <summary>
/// Sequences laid end to end without padding. Attention never crosses from one to the next and positions restart, so nothing leaks between
/// examples. Sequences with the same prompt read one copy of it: under causal attention what a prompt becomes does not depend on
/// what follows. A sequence's last token is not read, because nothing is predicted from it. Immutable.
/// </summary>
internal sealed class TokenBatch
{
    private readonly List<TokenSegment> segments = [];
    private int length, learned;

    /// <exception cref="ArgumentException">
    /// A sequence is empty or supervises nothing: a mask that is all zero trains nothing and looks healthy.
    /// </exception>
    public TokenBatch(IReadOnlyList<TrainingSequence> sequences)
    {
        for (int index = 0; index < sequences.Count; index++) RequireLearned(index, sequences[index]);
        Sequences = sequences;
        Tokens = new int[TokensOf(sequences)];
        Positions = new int[Tokens.Length];
        int supervised = sequences.Sum(sequence => sequence.SupervisedCount);
        PredictedFrom = new int[supervised];
        Targets = new int[supervised];
        SupervisedStarts = new int[sequences.Count + 1];
        var counts = sequences.CountBy(sequence => sequence, PromptComparer.Instance).ToDictionary(PromptComparer.Instance);
        var prompts = new Dictionary<TrainingSequence, TokenSegment>(PromptComparer.Instance);
        for (int index = 0; index < sequences.Count; index++)
        {
            Append(sequences[index], counts[sequences[index]] > 1, prompts);
            SupervisedStarts[index + 1] = learned;
        }
    }

    public IReadOnlyList<TrainingSequence> Sequences { get; }

    /// <summary>[tokens]</summary>
    public int[] Tokens { get; }

    /// <summary>[tokens], restarting at 0 with every sequence.</summary>
    public int[] Positions { get; }

    /// <summary>
    /// What attention treats one after the other; together they cover every token once, a prompt before what continues it.
    /// </summary>
    public IReadOnlyList<TokenSegment> Segments => segments;

    /// <summary>
    /// [supervised]: the position whose output predicts each learned token; several may be predicted from a shared prompt's last.
    /// </summary>
    public int[] PredictedFrom { get; }

    /// <summary>[supervised]: the learned tokens.</summary>
    public int[] Targets { get; }

    /// <summary>[sequences + 1]: where each sequence's learned tokens begin among all of them.</summary>
    public int[] SupervisedStarts { get; }

    /// <summary>Tokens that a batch of these sequences reads.</summary>
    public static int TokensOf(IReadOnlyList<TrainingSequence> sequences)
    {
        var prompts = new HashSet<TrainingSequence>(PromptComparer.Instance);
        return sequences.Sum(sequence => sequence.SupervisedCount - 1 + (prompts.Add(sequence) ? sequence.FirstSupervised : 0));
    }

    private static void RequireLearned(int index, TrainingSequence sequence)
    {
        if (sequence.FirstSupervised < 1 || sequence.SupervisedCount < 1)
            throw new ArgumentException(
                $"Sequence {index} has {sequence.Tokens.Count} tokens and supervises from {sequence.FirstSupervised}: at least one "
                + $"learned token after a prompt is needed.");
    }

    private void Append(TrainingSequence sequence, bool shared, Dictionary<TrainingSequence, TokenSegment> prompts)
    {
        int prompt = sequence.FirstSupervised, end = sequence.Tokens.Count - 1;
        if (!shared)
        {
            int start = Lay(sequence, 0, end, default).Start;
            Learn(sequence, start + prompt - 1, start + prompt);
            return;
        }

        if (!prompts.TryGetValue(sequence, out var laid)) prompts.Add(sequence, laid = Lay(sequence, 0, prompt, default));
        Learn(sequence, laid.Start + prompt - 1, Lay(sequence, prompt, end, laid).Start);
    }

    // Lays tokens first..end − 1 of a sequence behind what is there.
    private TokenSegment Lay(TrainingSequence sequence, int first, int end, TokenSegment prompt)
    {
        var segment = new TokenSegment(length, end - first, prompt.Length, prompt.Start);
        for (int i = first; i < end; i++)
        {
            Tokens[length] = sequence.Tokens[i];
            Positions[length++] = i;
        }

        if (segment.Length > 0) segments.Add(segment);
        return segment;
    }

    // The first learned token is predicted from the prompt's last, each further one from the one before it.
    private void Learn(TrainingSequence sequence, int promptEnd, int start)
    {
        for (int i = sequence.FirstSupervised; i < sequence.Tokens.Count; i++)
        {
            PredictedFrom[learned] = i == sequence.FirstSupervised ? promptEnd : start + i - sequence.FirstSupervised - 1;
            Targets[learned++] = sequence.Tokens[i];
        }
    }
}

/// <summary>Neighbouring tokens of a <see cref="TokenBatch"/> that see one another causally, and before themselves a prompt.</summary>
/// <param name="Start">The first token's place.</param>
/// <param name="Length">Tokens.</param>
/// <param name="PromptLength">Tokens of the prompt; 0 where the segment begins its sequence.</param>
/// <param name="PromptStart">Its first token's place; without meaning where there is no prompt.</param>
internal readonly record struct TokenSegment(int Start, int Length, int PromptLength, int PromptStart)
{
    /// <summary>Keys that the last token sees.</summary>
    public int Keys => PromptLength + Length;
}

/// <summary>Takes sequences with equal prompts for equal. Thread-safe.</summary>
internal sealed class PromptComparer : IEqualityComparer<TrainingSequence>
{
    public static PromptComparer Instance { get; } = new();

    public bool Equals(TrainingSequence? x, TrainingSequence? y)
    {
        if (ReferenceEquals(x, y)) return true;
        if (x is null || y is null || x.FirstSupervised != y.FirstSupervised) return false;
        for (int i = 0; i < x.FirstSupervised; i++)
        {
            if (x.Tokens[i] != y.Tokens[i]) return false;
        }

        return true;
    }

    public int GetHashCode([DisallowNull] TrainingSequence obj)
    {
        var hash = default(HashCode);
        for (int i = 0; i < obj.FirstSupervised; i++) hash.Add(obj.Tokens[i]);
        return hash.ToHashCode();
    }
}
