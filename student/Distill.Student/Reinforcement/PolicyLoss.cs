using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// The GRPO family: Σ (surrogate(ρ, A) + β·k3) / divisor over completion tokens. k3 is <see cref="ReferenceEstimate"/> and needs the
/// rollouts' reference log-probabilities. Micro-batches hold whole completions, so a completion's own ratio needs nothing from outside.
/// Every sequence must be a <see cref="Rollout"/>.
/// </summary>
/// <param name="reference">β and how k3 is weighted; null leaves the term out.</param>
/// <param name="entropyFloor">
/// The surrogate counts only tokens whose entropy is not below; −∞ for all, else rollouts need their entropies.
/// </param>
internal sealed class PolicyLoss(
    IPolicySurrogate surrogate, RatioLevel level, PolicyDivisor divisor, ReferenceTerm? reference = null,
    double entropyFloor = double.NegativeInfinity) : ITokenLoss
{
    /// <summary>Of all evaluations so far.</summary>
    public ClipCount Clips { get; } = new();

    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            int first = batch.SupervisedStarts[sequence], length = batch.SupervisedStarts[sequence + 1] - first;
            sum += Evaluate((Rollout)batch.Sequences[sequence], logProbabilities.Slice(first, length), derivatives.Slice(first, length));
        }

        return sum;
    }

    private double Evaluate(Rollout rollout, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        var sampled = rollout.Completion.LogProbabilities;
        double sum = 0, scale = divisor.For(logProbabilities.Length), share = SharedPart(rollout, logProbabilities.Length);
        double whole = level == RatioLevel.Token ? 0 : SharedRatio(logProbabilities, sampled);
        var sides = new ClippedSide[level == RatioLevel.Token ? logProbabilities.Length : 1];
        for (int i = 0; i < logProbabilities.Length; i++)
        {
            bool counts = Counts(rollout, i);
            double ratio = level == RatioLevel.Token ? Math.Exp(logProbabilities[i] - sampled[i]) : whole;
            if (i < sides.Length) sides[i] = surrogate.Clips(ratio, rollout.Advantage);
            var (loss, ratioSlope, slope) = surrogate.Of(ratio, rollout.Advantage, logProbabilities[i]);
            if (!counts) (loss, slope) = (0, 0);
            slope += ratioSlope * (level != RatioLevel.Token ? share : counts ? 1 : 0);
            if (reference is not null)
            {
                var (distance, pull) = reference.Of(rollout.ReferenceLogProbabilities[i], logProbabilities[i], sampled[i]);
                loss += distance;
                slope += pull;
            }

            sum += loss;
            derivatives[i] = (float)(slope / scale);
        }

        Clips.Add(sides);
        return sum / scale;
    }

    private bool Counts(Rollout rollout, int token) => double.IsNegativeInfinity(entropyFloor) || rollout.Entropies[token] >= entropyFloor;

    // A mean ratio moves by 1/length with each token, a product by 1, and with it the loss of every token that counts: how many of their
    // slopes each token gets.
    private double SharedPart(Rollout rollout, int length)
    {
        if (level == RatioLevel.Token) return 0;
        int counted = 0;
        for (int i = 0; i < length; i++) counted += Counts(rollout, i) ? 1 : 0;
        return level == RatioLevel.Product ? counted : (double)counted / length;
    }

    private double SharedRatio(ReadOnlySpan<float> logProbabilities, IReadOnlyList<float> sampled)
    {
        double sum = 0;
        for (int i = 0; i < logProbabilities.Length; i++) sum += (double)logProbabilities[i] - sampled[i];
        return Math.Exp(level == RatioLevel.Product ? sum : sum / logProbabilities.Length);
    }
}

/// <summary>How many tokens, or completions where these share a ratio, lay beyond a bound. Thread-safe.</summary>
internal sealed class ClipCount
{
    private readonly Lock gate = new();
    private long low, high, all;

    /// <summary>Share, 0..1.</summary>
    public double Low => Share(low);

    /// <inheritdoc cref="Low"/>
    public double High => Share(high);

    public void Add(ReadOnlySpan<ClippedSide> sides)
    {
        lock (gate)
        {
            low += sides.Count(ClippedSide.Low);
            high += sides.Count(ClippedSide.High);
            all += sides.Length;
        }
    }

    private double Share(long count) => all == 0 ? 0 : (double)count / all;
}

/// <summary>
/// −Σ exp(log π − log π_sampled)·A / N on the student's own completions, A = −c·(log π_sampled − log π_teacher) per token: reverse KL to a
/// teacher by importance sampling (Thinking Machines 2025, tinker's <c>train_on_policy</c>). No clipping, no return of later tokens. The
/// rollouts' reference log-probabilities are the teacher's.
/// </summary>
/// <param name="tokens">N: learned tokens of the whole optimiser step.</param>
/// <param name="coefficient">c.</param>
internal sealed class OnPolicyDistillationLoss(long tokens, double coefficient = 1) : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            var rollout = (Rollout)batch.Sequences[sequence];
            int first = batch.SupervisedStarts[sequence];
            for (int i = first; i < batch.SupervisedStarts[sequence + 1]; i++)
            {
                double sampled = rollout.Completion.LogProbabilities[i - first];
                double advantage = -coefficient * (sampled - rollout.ReferenceLogProbabilities[i - first]);
                double weighted = Math.Exp(logProbabilities[i] - sampled) * advantage;
                sum -= weighted;
                derivatives[i] = (float)(-weighted / tokens);
            }
        }

        return sum / tokens;
    }
}
