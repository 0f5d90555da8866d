namespace Distill.Student.Supervised;

/// <summary>
/// A part of a supervised loss that follows from a few numbers of each predicted distribution: any number of them costs one pass over the
/// vocabulary. Immutable, thread-safe.
/// </summary>
public interface IRowTerm
{
    RowSlopes Of(in RowNumbers row);
}

/// <summary>What the terms know of one predicted distribution p and the token that is learned from it.</summary>
/// <param name="LogTotal">log Σ exp(logit).</param>
/// <param name="MeanLogit">Over the vocabulary.</param>
/// <param name="LogProbability">log p of the learned token.</param>
/// <param name="Entropy">In nats.</param>
public readonly record struct RowNumbers(double LogTotal, double MeanLogit, double LogProbability, double Entropy);

/// <summary>A term's value and its derivative by logit i: Probability·p(i) + Logarithm·p(i)·log p(i) + Target·[i is learned] + Uniform/vocabulary.</summary>
public readonly record struct RowSlopes(double Value, double Probability, double Logarithm = 0, double Target = 0, double Uniform = 0)
{
    public static RowSlopes operator +(RowSlopes one, RowSlopes other) => new(
        one.Value + other.Value, one.Probability + other.Probability, one.Logarithm + other.Logarithm, one.Target + other.Target, one.Uniform + other.Uniform);

    public static RowSlopes operator *(double factor, RowSlopes slopes) => new(
        factor * slopes.Value, factor * slopes.Probability, factor * slopes.Logarithm, factor * slopes.Target, factor * slopes.Uniform);
}
