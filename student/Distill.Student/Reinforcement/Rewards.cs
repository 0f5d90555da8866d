using Distill.Verification;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Student.Reinforcement;

/// <summary>One thing a completion is rewarded for. Total, immutable, thread-safe.</summary>
public interface IRewardPart
{
    /// <summary>Lower case, one word: what it is called in the measurements.</summary>
    string Name { get; }

    /// <returns>Not a number where nothing can be said; then the completion earns no reward at all.</returns>
    double Of(Verdict verdict, Completion completion);
}

/// <summary>A part of a reward and how much it counts.</summary>
public sealed record WeightedReward(IRewardPart Part, double Weight);

/// <summary>The weighted sum that a completion earns. Immutable, thread-safe.</summary>
public sealed class RewardRule(IReadOnlyList<WeightedReward> parts)
{
    /// <summary>The verifier's verdict and nothing else.</summary>
    public static RewardRule VerdictOnly { get; } = new([new WeightedReward(new VerdictReward(), 1)]);

    /// <summary>In the order of <see cref="Earned"/>.</summary>
    public IReadOnlyList<string> Names { get; } = [.. parts.Select(part => part.Part.Name)];

    /// <summary>What each part contributes, weighted; the reward is their sum.</summary>
    public double[] Earned(Verdict verdict, Completion completion) =>
        [.. parts.Select(part => part.Weight * part.Part.Of(verdict, completion))];
}

/// <summary>1 for a correct answer, else 0.</summary>
/// <param name="skipUndecidable">
/// No number for a completion whose answer cannot be read, which then is learned from neither way; false: 0.
/// </param>
internal sealed class VerdictReward(bool skipUndecidable = false) : IRewardPart
{
    public string Name => "verdict";

    public double Of(Verdict verdict, Completion completion) =>
        skipUndecidable && verdict == Verdict.Undecidable ? double.NaN : verdict == Verdict.Correct ? 1 : 0;
}

/// <summary>
/// 1 for a completion that begins with its thinking, closes it, and opens it only once; else 0. TRL's <c>think_format_reward</c>.
/// </summary>
internal sealed class FormatReward(Tokenizer tokenizer) : IRewardPart
{
    public string Name => "format";

    public double Of(Verdict verdict, Completion completion) => Of(tokenizer.Decode([.. completion.Tokens], skipSpecial: false));

    public static double Of(string text) =>
        text.StartsWith(ThinkMarks.Open, StringComparison.Ordinal)
        && text.LastIndexOf(ThinkMarks.Open, StringComparison.Ordinal) == 0
        && text.Contains(ThinkMarks.Close, StringComparison.Ordinal)
            ? 1 : 0;
}

/// <summary>
/// 0 up to limit − margin tokens, then a straight line to −1 at the limit, −1 beyond: DAPO's soft overlong punishment (Yu et al. 2025,
/// arXiv 2503.14476, equation 13).
/// </summary>
/// <param name="limit">Tokens from which on the whole penalty applies.</param>
/// <param name="margin">Tokens over which it grows; 1 to <paramref name="limit"/>.</param>
internal sealed class OverlongReward(int limit, int margin) : IRewardPart
{
    public string Name => "length";

    public double Of(Verdict verdict, Completion completion) => Of(completion.Tokens.Count);

    public double Of(int tokens) => tokens >= limit ? -1 : Math.Min(0, (double)(limit - margin - tokens) / margin);
}

/// <summary>
/// −(1 − different runs of n tokens / all runs of n tokens): 0 for a completion that never repeats itself, towards −1 for one that does
/// nothing else (Yeo et al. 2025, arXiv 2502.03373).
/// </summary>
/// <param name="length">n, at least 1.</param>
internal sealed class RepetitionReward(int length) : IRewardPart
{
    public string Name => "repetition";

    public double Of(Verdict verdict, Completion completion) => Of(completion.Tokens);

    public double Of(IReadOnlyList<int> tokens)
    {
        int runs = tokens.Count - length + 1;
        if (runs < 1) return 0;
        int[] all = [.. tokens];
        var different = new HashSet<ReadOnlyMemory<int>>(
            Enumerable.Range(0, runs).Select(start => (ReadOnlyMemory<int>)all.AsMemory(start, length)), new RunComparer());
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
