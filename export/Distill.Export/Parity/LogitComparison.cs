using System.Numerics.Tensors;

namespace Distill.Export.Parity;

/// <summary>
/// Running figures of a comparison: largest difference, largest magnitude, and where the choices differ and by how little.
/// </summary>
internal sealed class LogitComparison
{
    private readonly List<float> margins = [];

    public double MaxAbsDiff { get; private set; }

    public double MaxAbs { get; private set; }

    public long Positions { get; private set; }

    public long GreedyTokens { get; private set; }

    /// <summary>Compares the logits of one position, [vocab].</summary>
    public void Add(ReadOnlySpan<float> exported, ReadOnlySpan<float> reference)
    {
        Positions++;
        MaxAbs = Math.Max(MaxAbs, Math.Abs(TensorPrimitives.MaxMagnitude(reference)));
        for (int i = 0; i < reference.Length; i++)
        {
            double difference = Math.Abs((double)exported[i] - reference[i]);
            if (difference > MaxAbsDiff) MaxAbsDiff = difference;
            else if (!double.IsFinite(difference)) MaxAbsDiff = double.MaxValue; // a finite number, so that reports stay valid JSON
        }

        if (!double.IsFinite(MaxAbsDiff) || !double.IsFinite(MaxAbs))
            (MaxAbsDiff, MaxAbs) = (double.MaxValue, double.IsFinite(MaxAbs) ? MaxAbs : 0);
    }

    /// <summary>Compares a greedily chosen token with what the reference would have chosen.</summary>
    public void AddChoice(int token, ReadOnlySpan<float> reference)
    {
        GreedyTokens++;
        int best = TensorPrimitives.IndexOfMax(reference);
        if (best == token) return;
        float margin = best < 0 ? float.PositiveInfinity : reference[best] - reference[token];
        margins.Add(float.IsNaN(margin) ? float.PositiveInfinity : margin);
    }

    public ParityReport Report(ParityTolerance tolerance)
    {
        double allowed = tolerance.RelativeLogits * MaxAbs;
        // A tie is a property of exact comparisons; a loose tolerance must not excuse choices.
        double undecided = Math.Min(allowed, ParityTolerance.Exact.RelativeLogits * MaxAbs);
        long ties = margins.Count(margin => margin <= undecided), mismatches = margins.Count - ties;
        bool passed = Positions > 0 && MaxAbsDiff <= allowed && mismatches <= tolerance.MismatchShare * GreedyTokens;
        return new(MaxAbsDiff, MaxAbs, Positions, GreedyTokens, mismatches, ties, tolerance, passed);
    }
}
