using System.Numerics;
using System.Numerics.Tensors;
using Distill.Libtorch;
using Distill.Student.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Distillation;

/// <summary>An example with what the teacher thought at each learned token: its best tokens, best first.</summary>
/// <param name="Tokens">Prompt and the teacher's own completion, token by token.</param>
/// <param name="FirstSupervised">Length of the prompt.</param>
/// <param name="Top">k: alternatives per learned token.</param>
/// <param name="TopIds">[learned × k]</param>
/// <param name="TopLogProbabilities">[learned × k], at temperature 1.</param>
public sealed record TeacherSequence(IReadOnlyList<int> Tokens, int FirstSupervised, int Top, int[] TopIds, float[] TopLogProbabilities)
    : TrainingSequence(Tokens, FirstSupervised), ITeacherLabels
{
    /// <exception cref="ArgumentException">The alternatives are not k for every learned token.</exception>
    public static TeacherSequence Of(
        IReadOnlyList<int> tokens, int firstSupervised, IReadOnlyList<int> topIds, IReadOnlyList<float> topLogProbabilities)
    {
        int learned = tokens.Count - firstSupervised;
        if (learned < 1 || topIds.Count == 0 || topIds.Count % learned != 0 || topIds.Count != topLogProbabilities.Count)
            throw new ArgumentException(
                $"{topIds.Count} ids and {topLogProbabilities.Count} log-probabilities are not k alternatives for each of {learned} "
                + $"learned tokens.");
        return new TeacherSequence(tokens, firstSupervised, topIds.Count / learned, [.. topIds], [.. topLogProbabilities]);
    }

    public ReadOnlySpan<int> IdsAt(int position) => TopIds.AsSpan(position * Top, Top);

    public ReadOnlySpan<float> LogProbabilitiesAt(int position) => TopLogProbabilities.AsSpan(position * Top, Top);
}

/// <summary>
/// (w · divergence from the teacher + (1 − w) · −log Q(token)) / N over the learned tokens of <see cref="TeacherSequence"/>s. N counts the
/// learned tokens of the whole optimiser step. The hard part is at temperature 1.
/// </summary>
/// <param name="softWeight">w, 0..1.</param>
/// <param name="learnedTokens">N.</param>
internal sealed class SoftLabelLoss(TopTokenDivergence soft, double softWeight, long learnedTokens) : IDistributionLoss
{
    public double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient)
    {
        var labels = (TeacherSequence)sequence;
        double value = 0;
        if (softWeight > 0) value =
            soft.Evaluate(labels.IdsAt(position), labels.LogProbabilitiesAt(position), logits, gradient, softWeight / learnedTokens);
        else gradient.Clear();
        if (softWeight < 1)
            value += HardLabel.Add(labels.Tokens[labels.FirstSupervised + position], logits, gradient, (1 - softWeight) / learnedTokens);
        return value;
    }

    public ChunkLoss Evaluate(LogitsChunk chunk)
    {
        if (softWeight == 0) return HardLabel.Of(chunk, 1.0 / learnedTokens);
        using var scope = NewDisposeScope();
        var (value, gradient) = TeacherChunk.Evaluate(soft, chunk, softWeight / learnedTokens);
        if (softWeight < 1)
        {
            var hard = HardLabel.Of(chunk, (1 - softWeight) / learnedTokens);
            value.add_(hard.Value, KeptScalar.One);
            gradient.add_(hard.Gradient, KeptScalar.One);
        }

        return new ChunkLoss(value.MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }
}

/// <summary>−log softmax(logits)[target], added to a gradient that is there already; allocates nothing.</summary>
internal static class HardLabel
{
    private const int Chunk = 256;

    /// <param name="gradient">[vocabulary]: <paramref name="weight"/> · (softmax − one-hot) is added.</param>
    public static double Add<T>(int target, ReadOnlySpan<T> logits, Span<T> gradient, double weight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> part = stackalloc T[Chunk];
        T largest = TensorPrimitives.Max(logits);
        double total = 0;
        for (int i = 0; i < logits.Length; i += Chunk)
            total += double.CreateTruncating(TensorPrimitives.Sum<T>(Exponentials(logits, largest, i, part)));
        T factor = T.CreateTruncating(weight / total);
        for (int i = 0; i < logits.Length; i += Chunk)
        {
            var exponentials = Exponentials(logits, largest, i, part);
            var slot = gradient.Slice(i, exponentials.Length);
            TensorPrimitives.MultiplyAdd<T>(exponentials, factor, slot, slot);
        }

        gradient[target] -= T.CreateTruncating(weight);
        return weight * (Math.Log(total) - double.CreateTruncating(logits[target] - largest));
    }

    /// <summary>The same for many tokens at once, as a loss of its own.</summary>
    /// <returns>In the caller's dispose scope.</returns>
    public static ChunkLoss Of(LogitsChunk chunk, double weight)
    {
        using var scope = NewDisposeScope();
        using Scalar factor = weight, less = -weight;
        var targets = chunk.Targets.unsqueeze(1);
        var logarithms = chunk.Logits.log_softmax(-1);
        var value = logarithms.gather(1, targets).sum(ScalarType.Float64).mul_(less);
        var gradient = logarithms.exp_().mul_(factor);
        gradient.scatter_add_(1, targets, full_like(targets, less, ScalarType.Float32));
        return new ChunkLoss(value.MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }

    private static Span<T> Exponentials<T>(ReadOnlySpan<T> logits, T largest, int start, Span<T> part)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var slice = logits.Slice(start, Math.Min(Chunk, logits.Length - start));
        var target = part[..slice.Length];
        TensorPrimitives.Subtract(slice, largest, target);
        TensorPrimitives.Exp<T>(target, target);
        return target;
    }
}
