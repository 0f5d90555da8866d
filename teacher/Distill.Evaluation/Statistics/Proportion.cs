using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distill.Evaluation.Statistics;

/// <summary>Intervals of shares.</summary>
internal static class Proportion
{
    /// <summary>97.5 % quantile of the normal distribution: two-sided 95 %.</summary>
    public const double Z95 = 1.959963984540054;

    /// <summary>Wilson's score interval without continuity correction (Wilson 1927).</summary>
    /// <param name="successes">May be fractional when <paramref name="n"/> is an effective sample size.</param>
    /// <param name="n">Positive.</param>
    /// <param name="z">Normal quantile.</param>
    public static Interval Wilson(double successes, double n, double z = Z95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, n);
        double p = successes / n, z2 = z * z;
        double center = (p + (z2 / (2 * n))) / (1 + (z2 / n));
        double half = z / (1 + (z2 / n)) * Math.Sqrt((p * (1 - p) / n) + (z2 / (4 * n * n)));
        return new Interval(Math.Max(0, center - half), Math.Min(1, center + half));
    }

    /// <summary>
    /// Interval of a mean of per-problem shares: Wilson's with the effective sample size p(1−p)/se², se from the spread between
    /// problems, as for clustered surveys (Franco, Little, Louis, Slud 2019). At least the number of problems, since samples of one
    /// problem cannot say less than one sample of it; so it keeps its width at 0 and 1, where a normal interval has none.
    /// </summary>
    /// <param name="shares">One per problem, in 0..1; not empty.</param>
    public static Interval Clustered(IReadOnlyList<double> shares, double z = Z95)
    {
        double mean = shares.Average(), problems = shares.Count;
        double variance = problems > 1 ? shares.Sum(share => (share - mean) * (share - mean)) / (problems - 1) / problems : 0;
        double effective = variance > 0 ? Math.Max(problems, mean * (1 - mean) / variance) : problems;
        return Wilson(Math.Min(mean * effective, effective), effective, z);
    }
}

/// <summary>A confidence interval; in JSON the array [low, high].</summary>
[JsonConverter(typeof(ArrayConverter))]
public readonly record struct Interval(double Low, double High)
{
    private sealed class ArrayConverter : JsonConverter<Interval>
    {
        public override Interval Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<double[]>(ref reader, options) is [var low, var high]
                ? new Interval(low, high)
                : throw new JsonException("An interval is an array of two numbers.");

        public override void Write(Utf8JsonWriter writer, Interval value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(value.Low);
            writer.WriteNumberValue(value.High);
            writer.WriteEndArray();
        }
    }
}
