using Distill.Student.Training;

namespace Distill.Student.Autograd;

/// <summary>Sequences with one prompt, and whether it pays to read it once. Immutable.</summary>
/// <param name="Members">With their places among the sequences that were given.</param>
internal sealed record PromptGroup(IReadOnlyList<(TrainingSequence Sequence, int Index)> Members)
{
    /// <summary>At most one row in so many is padding, where sequences begin.</summary>
    public const int Padding = 16;

    /// <summary>Likewise where they continue a prompt: few are alike, and every bucket costs a call.</summary>
    public const int ContinuedPadding = 4;

    /// <summary>
    /// Positions, for each token of the capacity, whose keys and values may be copied for continuations: every one holds those of its
    /// prompt before its own, for as long as its layer is kept.
    /// </summary>
    public const int Copies = 4;

    // Attention over a shared prompt needs a mask, and with it a slower kernel: less than this part of the tokens is not worth it.
    private const int LeastSaved = 8;

    public IReadOnlyList<TrainingSequence> Sequences { get; } = [.. Members.Select(member => member.Sequence)];

    /// <summary>Tokens of the prompt.</summary>
    public int Prompt => Sequences[0].FirstSupervised;

    public bool IsShared => (long)Prompt * (Sequences.Count - 1) * LeastSaved >= Sequences.Sum(sequence => (long)Read(sequence));

    /// <summary>Rows without padding.</summary>
    public long Tokens => Sequences.Sum(sequence => (long)Read(sequence)) - (IsShared ? (long)Prompt * (Sequences.Count - 1) : 0);

    /// <summary>What a micro-batch's capacity is taken up by: rows, or what is copied where that is more than goes with so many.</summary>
    public long Load => Math.Max(Tokens, IsShared ? ((long)Sequences.Max(Read) * Sequences.Count / Copies) + 1 : 0);

    /// <summary>Tokens that a pass reads of a sequence: nothing is predicted from the last.</summary>
    public static int Read(TrainingSequence sequence) => sequence.Tokens.Count - 1;

    public static IReadOnlyList<PromptGroup> Of(IReadOnlyList<TrainingSequence> sequences) =>
        [.. sequences.Select((sequence, index) => (sequence, index)).GroupBy(member => member.sequence, PromptComparer.Instance)
            .Select(group => new PromptGroup([.. group]))];

    /// <summary>What must stay together, in parts of about the capacity; a sequence that is longer is one by itself.</summary>
    public IEnumerable<PromptGroup> Parts(int capacity) =>
        Members.Chunk(IsShared ? Math.Max(1, (int)(Members.Count * (long)capacity / Math.Max(capacity, Load))) : 1)
            .Select(members => new PromptGroup(members));
}

/// <summary>
/// Cuts the sequences of a pass into micro-batches of like length; those of one prompt stay together where they read it once. Depends on
/// prompts and lengths alone. Immutable.
/// </summary>
/// <param name="capacity">Tokens of a micro-batch; a longer sequence is one by itself.</param>
/// <param name="maxPositions">Longest sequence that the model reads.</param>
internal sealed class MicroBatches(int capacity, int maxPositions)
{
    /// <summary>Tokens of a micro-batch.</summary>
    public int Capacity => capacity;

    /// <summary>The same with other micro-batches.</summary>
    public MicroBatches With(int otherCapacity) => new(otherCapacity, maxPositions);

    /// <returns>The longest sequences first, so that memory peaks at once.</returns>
    /// <exception cref="ArgumentException">A sequence is longer than the model reads, or supervises nothing.</exception>
    public IReadOnlyList<TokenBatch> Of(IReadOnlyList<TrainingSequence> sequences)
    {
        if (sequences.FirstOrDefault(sequence => sequence.Tokens.Count > maxPositions) is { } tooLong)
            throw new ArgumentException($"A sequence of {tooLong.Tokens.Count} tokens exceeds the {maxPositions} that the model reads.");
        var batches = new List<TokenBatch>();
        var open = new List<TrainingSequence>();
        long load = 0;
        foreach (var group in PromptGroup.Of(sequences).SelectMany(group => group.Parts(capacity))
            .OrderByDescending(group => group.Sequences.Max(sequence => sequence.Tokens.Count)))
        {
            if (open.Count > 0 && load + group.Load > capacity)
            {
                batches.Add(new TokenBatch(open));
                (open, load) = ([], 0);
            }

            open.AddRange(group.Sequences);
            load += group.Load;
        }

        if (open.Count > 0) batches.Add(new TokenBatch(open));
        return batches;
    }
}
