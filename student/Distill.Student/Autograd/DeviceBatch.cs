using Distill.Architecture;
using Distill.Libtorch;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>A micro-batch on the device. Its tensors belong to the dispose scope of the micro-step that made it. One thread.</summary>
internal sealed class DeviceBatch
{
    private readonly Dictionary<(int Length, int Before, int Window), Tensor> masks = [];

    public DeviceBatch(TokenBatch tokens, RotaryRows rotary, IDecoderWeights weights)
    {
        var device = weights.Device;
        Tokens = tokens;
        var laid = new LengthBuckets(tokens);
        Buckets = laid.Buckets;
        // In one copy: on CUDA each one from pageable memory waits.
        int rows = laid.Ids.Count, learned = tokens.Targets.Length;
        long[] staged = [.. laid.Ids, .. laid.PredictedFrom, .. tokens.Targets.Select(target => (long)target)];
        var all = tensor(staged, ScalarType.Int64).to(device);
        (Ids, PredictedFrom, Targets) = (all.narrow(0, 0, rows), all.narrow(0, rows, learned), all.narrow(0, rows + learned, learned));
        (Cosines, Sines) = rotary.Of(laid.Buckets);
        foreach (int? window in (int?[])[null, weights.Architecture.SlidingWindow])
            foreach (var key in laid.Buckets.Select(bucket => KeyOf(bucket, window)).OfType<(int Length, int Before, int Window)>())
                if (!masks.ContainsKey(key)) masks.Add(key, Masked(key.Length, key.Before, key.Window, weights));
    }

    /// <summary>The sequences, in the order that losses and results know.</summary>
    public TokenBatch Tokens { get; }

    public IReadOnlyList<LengthBucket> Buckets { get; }

    /// <summary>[rows] int64, padding included.</summary>
    public Tensor Ids { get; }

    /// <summary>[supervised] int64</summary>
    public Tensor PredictedFrom { get; }

    /// <summary>[supervised] int64</summary>
    public Tensor Targets { get; }

    /// <summary>[rows, 1, 1, head / 2]</summary>
    public Tensor Cosines { get; }

    /// <summary>[rows, 1, 1, head / 2]</summary>
    public Tensor Sines { get; }

    /// <summary>
    /// What hides keys behind a query or outside a layer's window, [length, prompt + length]; null where a query of a whole sequence sees
    /// all before it.
    /// </summary>
    /// <param name="window">Of the layer; null for none.</param>
    public Tensor? Mask(LengthBucket bucket, int? window) => KeyOf(bucket, window) is { } key ? masks[key] : null;

    // A window that reaches over everything is none.
    private static (int Length, int Before, int Window)? KeyOf(LengthBucket bucket, int? window)
    {
        int keys = bucket.Before + bucket.Length;
        bool windowed = window < keys;
        return windowed || bucket.Prompt is not null ? (bucket.Length, bucket.Before, windowed ? window!.Value : keys) : null;
    }

    // Query i stands at key before + i. Above it, and below the window: two triangles that do not meet.
    private static Tensor Masked(int length, int before, int window, IDecoderWeights weights)
    {
        using var scope = NewDisposeScope();
        var hidden = full([length, before + length], float.NegativeInfinity, weights.Precision, weights.Device);
        return hidden.triu(before + 1).add_(hidden.tril(before - window), KeptScalar.One).MoveToOuterDisposeScope();
    }
}

/// <summary>Cosines and sines by position on a device, kept for as many positions as were needed so far. One thread; dispose it.</summary>
internal sealed class RotaryRows(DecoderArchitecture architecture, Device device) : IDisposable
{
    private readonly RotaryTable table = new(architecture);
    private Tensor? cosines, sines; // [positions, head / 2]

    /// <returns>[rows, 1, 1, head / 2] each, in the caller's dispose scope.</returns>
    public (Tensor Cosines, Tensor Sines) Of(IReadOnlyList<LengthBucket> buckets)
    {
        Reach(buckets.Max(bucket => bucket.Before + bucket.Length));
        return (Laid(cosines!, buckets), Laid(sines!, buckets));
    }

    public void Dispose()
    {
        cosines?.Dispose();
        sines?.Dispose();
    }

    private void Reach(int positions)
    {
        if (cosines is not null && cosines.shape[0] >= positions) return;
        Dispose();
        positions = (int)Math.Min(table.Positions, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)positions));
        float[] values = new float[(long)positions * table.Width];
        using var scope = NewDisposeScope();
        table.Cosines(0, values);
        cosines = tensor(values).to(device).view(positions, table.Width).DetachFromDisposeScope();
        table.Sines(0, values);
        sines = tensor(values).to(device).view(positions, table.Width).DetachFromDisposeScope();
    }

    private Tensor Laid(Tensor values, IReadOnlyList<LengthBucket> buckets) =>
        cat([.. buckets.Select(bucket => values.narrow(0, bucket.Before, bucket.Length).unsqueeze(1)
            .expand(bucket.Length, bucket.Count, table.Width).reshape(bucket.Rows, 1, 1, table.Width))]);
}
