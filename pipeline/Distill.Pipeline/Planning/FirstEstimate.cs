using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Distill.Pipeline.Planning;

/// <summary>
/// Predictions where nothing like the work was measured: operations of the model over the speed of the processor. Right within a factor of
/// a few, which is enough to tell minutes from days. One thread.
/// </summary>
internal sealed class FirstEstimate(TimeProvider clock)
{
    /// <summary>Of configurations, tokenizers and cards beside the weights.</summary>
    public const long SmallFiles = 200_000;

    // Operations per parameter and token: a product and a sum forward, twice that backward.
    private const double Forward = 2, ForwardAndBackward = 6;

    // Seconds that a token takes whatever the model: sampling, masks, the dispatch of small operations, which training does for many tokens
    // at once; and that a stage takes to open it.
    private const double TokenOverhead = 5e-5, TrainingOverhead = 1e-5, Opening = 1;

    // Matrix products reach about half of what the loop below does, on each core; a card does far more.
    private const double Reached = 0.5, CardSpeed = 50;

    private const double BytesPerSecond = 2e8, SecondsPerRow = 2e-4, EndpointTokensPerSecond = 200;

    private double? measured;

    /// <param name="units">In the unit of the kind.</param>
    /// <param name="parameters">0 where unknown.</param>
    public double Seconds(StageLoad load, double units, long parameters, string device)
    {
        double speed = (measured ??= MeasureSpeed()) * Reached * Environment.ProcessorCount * (device == "cpu" ? 1 : CardSpeed);
        double Tokens(double operations, double overhead = TokenOverhead) =>
            Opening + (units * ((operations * parameters / speed) + overhead));
        return load.Kind switch
        {
            WorkKind.Rows => units * SecondsPerRow,
            WorkKind.Completions => Tokens(Forward),
            WorkKind.Requests => units / EndpointTokensPerSecond,
            WorkKind.Training => Tokens(ForwardAndBackward, TrainingOverhead),
            WorkKind.Rollouts => Tokens(Forward + ForwardAndBackward),
            WorkKind.Export => Opening + (units * (load.BytesPerParameter ?? sizeof(float)) / BytesPerSecond),
            WorkKind.Parity => Opening + (units * 300 * ((2 * Forward * parameters / speed) + TokenOverhead)),
            _ => throw new ArgumentOutOfRangeException(nameof(load), load.Kind, "Unknown kind of work."),
        };
    }

    /// <summary>Of a Parquet row or a line of JSON with its share of the digests and the card.</summary>
    public static double BytesOfRow(double tokens) => 400 + (12 * tokens);

    /// <summary>
    /// Operations per second of one core: eight independent chains of products and sums, as many as keep both units of a core at work, for
    /// a few milliseconds; the best of some tries. Where registers have 512 bits, twice as much is taken for granted as what
    /// <see cref="Vector{T}"/> does in 256: some processors need two cycles for it, but libraries have bf16 there too.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double MeasureSpeed()
    {
        const int Chains = 8, Rounds = 500_000, Tries = 5;
        int lanes = Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector<float>.Count;
        var factor = new Vector<float>(0.999f);
        Vector<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        double best = 0;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            long began = clock.GetTimestamp();
            for (int round = 0; round < Rounds; round++)
            {
                a = Vector.FusedMultiplyAdd(a, factor, Vector<float>.One);
                b = Vector.FusedMultiplyAdd(b, factor, Vector<float>.One);
                c = Vector.FusedMultiplyAdd(c, factor, Vector<float>.One);
                d = Vector.FusedMultiplyAdd(d, factor, Vector<float>.One);
                e = Vector.FusedMultiplyAdd(e, factor, Vector<float>.One);
                f = Vector.FusedMultiplyAdd(f, factor, Vector<float>.One);
                g = Vector.FusedMultiplyAdd(g, factor, Vector<float>.One);
                h = Vector.FusedMultiplyAdd(h, factor, Vector<float>.One);
            }

            double seconds = Math.Max(clock.GetElapsedTime(began).TotalSeconds, 1e-6);
            best = Math.Max(best, 2.0 * Chains * Rounds * lanes / seconds);
        }

        // The sums are looked at, so that they are computed.
        return Vector.Sum(a + b + c + d + e + f + g + h) > 0 ? best : double.Epsilon;
    }
}
