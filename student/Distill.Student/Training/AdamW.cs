using System.Numerics.Tensors;

namespace Distill.Student.Training;

/// <summary>Constants of <see cref="AdamW"/>; the defaults are those of the GPT-3 recipe with a mild decay.</summary>
public sealed record AdamWOptions(
    double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0.01, double MaxGradientNorm = 1.0);

/// <summary>
/// AdamW with decoupled decay on matrices only (Loshchilov and Hutter 2019, arXiv 1711.05101; update order and epsilon as in
/// PyTorch) and clipping by the global norm, in one pass over the trained values. Not thread-safe.
/// </summary>
internal sealed class AdamW
{
    private const int NormBlock = 4096;
    private readonly ITrainedValues trained;
    private readonly AdamWOptions options;
    private readonly TrainedBlock[] blocks;
    private int steps;

    public AdamW(ITrainedValues trained, AdamWOptions options)
    {
        this.trained = trained;
        this.options = options;
        blocks = [.. trained.Blocks];
        FirstMoment = new float[trained.Count];
        SecondMoment = new float[trained.Count];
        Steps = 0;
    }

    /// <summary>Updates made so far.</summary>
    public int Steps
    {
        get => steps;
        set => trained.Updates = steps = value;
    }

    /// <summary>[parameters]</summary>
    public float[] FirstMoment { get; }

    /// <summary>[parameters]</summary>
    public float[] SecondMoment { get; }

    /// <returns>
    /// The gradient's norm before clipping; where it is not finite, nothing was changed and a <see cref="DivergenceWatch"/> says so.
    /// </returns>
    public double Update(ReadOnlySpan<float> gradient, double learningRate)
    {
        double norm = Norm(gradient);
        if (!double.IsFinite(norm)) return norm;
        Steps++;
        double clip = options.MaxGradientNorm > 0 ? Math.Min(1, options.MaxGradientNorm / (norm + 1e-6)) : 1;
        foreach (var (offset, count, decays) in blocks)
            Update(offset, gradient.Slice(offset, count), (float)clip, learningRate, decays ? options.WeightDecay : 0);

        return norm;
    }

    // Blocks in fp32, their sum in fp64: over a hundred million values one fp32 sum loses whole percents.
    private static double Norm(ReadOnlySpan<float> gradient)
    {
        double sum = 0;
        for (int i = 0; i < gradient.Length; i += NormBlock)
            sum += TensorPrimitives.SumOfSquares(gradient.Slice(i, Math.Min(NormBlock, gradient.Length - i)));
        return Math.Sqrt(sum);
    }

    private void Update(int offset, ReadOnlySpan<float> gradient, float clip, double learningRate, double decay)
    {
        var values = trained.Span.Slice(offset, gradient.Length);
        var first = FirstMoment.AsSpan(offset, gradient.Length);
        var second = SecondMoment.AsSpan(offset, gradient.Length);
        float shrink = (float)(1 - learningRate * decay), beta1 = (float)options.Beta1, beta2 = (float)options.Beta2;
        float new1 = (float)(1 - options.Beta1), new2 = (float)(1 - options.Beta2); // 1 − β in fp32 would lose digits
        float stepSize = (float)(learningRate / (1 - Math.Pow(options.Beta1, Steps)));
        float correction = (float)(1 / Math.Sqrt(1 - Math.Pow(options.Beta2, Steps))), epsilon = (float)options.Epsilon;
        int width = System.Numerics.Vector<float>.Count, i = 0;
        for (; i + width <= gradient.Length; i += width)
        {
            var g = new System.Numerics.Vector<float>(gradient[i..]) * clip;
            var m = new System.Numerics.Vector<float>(first[i..]) * beta1 + g * new1;
            var v = new System.Numerics.Vector<float>(second[i..]) * beta2 + g * g * new2;
            m.CopyTo(first[i..]);
            v.CopyTo(second[i..]);
            var denominator = System.Numerics.Vector.SquareRoot(v) * correction + new System.Numerics.Vector<float>(epsilon);
            (new System.Numerics.Vector<float>(values[i..]) * shrink - m * stepSize / denominator).CopyTo(values[i..]);
        }

        for (; i < gradient.Length; i++)
        {
            float g = gradient[i] * clip;
            first[i] = first[i] * beta1 + g * new1;
            second[i] = second[i] * beta2 + g * g * new2;
            values[i] = values[i] * shrink - first[i] * stepSize / (MathF.Sqrt(second[i]) * correction + epsilon);
        }
    }
}

/// <summary>
/// The values that an optimizer changes: all weights of a model, or adapters beside frozen weights. One writer at a time.
/// </summary>
internal interface ITrainedValues
{
    int Count { get; }

    /// <summary>Updates that an optimizer made so far, by its word; chooses the random bits of stochastic rounding.</summary>
    int Updates { get; set; }

    /// <summary>Of gradients in fp16; part of the training's state like <see cref="Updates"/>.</summary>
    LossScale LossScale { get; }

    /// <summary>[<see cref="Count"/>]</summary>
    Span<float> Span { get; }

    /// <summary>Pieces that lie end to end and cover all values.</summary>
    IEnumerable<TrainedBlock> Blocks { get; }
}

/// <summary>Values of one tensor.</summary>
/// <param name="Decays">Whether weight decay shrinks them: true for matrices.</param>
internal readonly record struct TrainedBlock(int Offset, int Count, bool Decays);
