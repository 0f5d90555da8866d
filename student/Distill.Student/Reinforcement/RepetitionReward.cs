using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Student.Reinforcement;

/// <summary>
/// −(1 − different runs of n tokens / all runs of n tokens): 0 for a completion that never repeats itself, towards −1 for one that does nothing
/// else (Yeo et al. 2025, arXiv 2502.03373).
/// </summary>
/// <param name="length">n, at least 1.</param>
public sealed class RepetitionReward(int length) : IRewardPart
{
    public string Name => "repetition";

    public double Of(Verdict verdict, Completion completion) => Of(completion.Tokens);

    public double Of(IReadOnlyList<int> tokens)
    {
        int runs = tokens.Count - length + 1;
        if (runs < 1) return 0;
        int[] all = [.. tokens];
        var different = new HashSet<ReadOnlyMemory<int>>(Enumerable.Range(0, runs).Select(start => (ReadOnlyMemory<int>)all.AsMemory(start, length)), new RunComparer());
        return ((double)different.Count / runs) - 1;
    }

    private sealed class RunComparer : IEqualityComparer<ReadOnlyMemory<int>>
    {
        public bool Equals(ReadOnlyMemory<int> one, ReadOnlyMemory<int> other) => one.Span.SequenceEqual(other.Span);

        public int GetHashCode(ReadOnlyMemory<int> run)
        {
            var hash = default(HashCode);
            foreach (int token in run.Span) hash.Add(token);
            return hash.ToHashCode();
        }
    }
}
