namespace Distill.Student.Fused;

/// <summary>
/// Whose turn it is to add to a part of a gradient that threads share: sums in fp32 depend on their order, so the order is fixed beforehand
/// and whoever is early waits. Thread-safe.
/// </summary>
internal sealed class GradientTurns
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, int> next = []; // by part
    private bool broken;

    /// <summary>Begins a new pass; nobody may be waiting.</summary>
    public void Reset()
    {
        next.Clear();
        broken = false;
    }

    /// <summary>Lets everyone who waits fail, because a turn will never come.</summary>
    public void Break()
    {
        lock (gate) broken = true;
    }

    /// <summary>Waits for turn number <paramref name="turn"/>, counted from 0, of a part, and takes it.</summary>
    /// <param name="part">Any number that stands for it.</param>
    /// <exception cref="InvalidOperationException">Another thread failed.</exception>
    public void Take(long part, int turn, Action add)
    {
        var spin = default(SpinWait);
        while (true)
        {
            lock (gate)
            {
                if (broken) throw new InvalidOperationException("Another training thread failed.");
                if (next.GetValueOrDefault(part) == turn) break;
            }

            spin.SpinOnce(sleep1Threshold: -1); // a millisecond would be longer than most turns
        }

        add();
        lock (gate) next[part] = turn + 1;
    }
}

/// <summary>Place of a micro-batch in the order of all: round by round, in a round replica by replica. Immutable.</summary>
/// <param name="Before">Micro-batches of earlier rounds.</param>
/// <param name="Index">Place within the round.</param>
/// <param name="Count">Micro-batches of the round.</param>
internal readonly record struct MicroBatchTurn(int Before, int Index, int Count)
{
    /// <param name="counts">Micro-batches of each replica.</param>
    public static MicroBatchTurn Of(IReadOnlyList<int> counts, int round, int replica) => new(
        counts.Sum(count => Math.Min(count, round)), counts.Take(replica)
        .Count(count => count > round), counts.Count(count => count > round));
}
