using System.Numerics.Tensors;
using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// Final norm, output projection and log-softmax, computed only where a token is learned. Always fp32: bf16 logits would bias
/// the log-probabilities that losses and importance ratios are made of. One thread.
/// </summary>
internal sealed unsafe class OutputHead(FlatParameters parameters, ReplicaScratch scratch)
{
    private readonly int hidden = parameters.Architecture.HiddenSize;
    private readonly int vocabulary = parameters.Architecture.VocabularySize;
    private readonly long normOffset = parameters.OffsetOf(ParameterMap.FinalNorm);
    private readonly long projectionOffset =
        parameters.OffsetOf(parameters.Architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection);
    private Tensor? rows, normed, predicted; // predicted [supervised, vocabulary]: logits, then probabilities, then the gradient by logits
    private float[] inverseRms = [];

    /// <param name="residual">[tokens, hidden], after the last layer.</param>
    /// <param name="logProbabilities">[supervised], filled.</param>
    /// <param name="entropies">[supervised], filled; or empty.</param>
    /// <returns>Entropies and hits; what the log-probabilities add up to is left at 0.</returns>
    public PassSums Forward(TokenBatch batch, float* residual, Span<float> logProbabilities, Span<float> entropies = default)
    {
        Project(batch, residual);
        return LogSoftmax(batch.Targets, logProbabilities, entropies);
    }

    /// <summary>The same, and on the way the loss and its gradient by the logits.</summary>
    public PassSums Forward(TokenBatch batch, float* residual, Span<float> logProbabilities, IDistributionLoss loss)
    {
        Project(batch, residual);
        var sums = default(PassSums);
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            int first = batch.SupervisedStarts[sequence];
            for (int i = first; i < batch.SupervisedStarts[sequence + 1]; i++)
            {
                var row = new Span<float>(NativeRows.PointerOf(predicted!) + (long)i * vocabulary, vocabulary);
                var gradient = scratch.Row(vocabulary);
                var measured = DistributionRow.Measure(row, batch.Targets[i], gradient, out logProbabilities[i]);
                sums += measured with { LogProbability = 0, Loss = loss.Evaluate(batch.Sequences[sequence], i - first, row, gradient) };
                gradient.CopyTo(row);
            }
        }

        return sums;
    }

    /// <summary>
    /// Turns the probabilities of <see cref="Forward(TokenBatch, float*, Span{float}, Span{float})"/> into the gradient by the logits.
    /// </summary>
    /// <param name="derivatives">[supervised]: derivative of the loss by each log-probability.</param>
    public void Apply(TokenBatch batch, ReadOnlySpan<float> derivatives)
    {
        float* p = NativeRows.PointerOf(predicted!);
        for (int i = 0; i < batch.Targets.Length; i++) // d logits = derivative · (one-hot − softmax)
        {
            var row = new Span<float>(p + (long)i * vocabulary, vocabulary);
            TensorPrimitives.Multiply(row, -derivatives[i], row);
            row[batch.Targets[i]] += derivatives[i];
        }
    }

    private void Project(TokenBatch batch, float* residual)
    {
        int count = batch.Targets.Length;
        rows = empty([count, hidden]);
        normed = empty([count, hidden]);
        inverseRms = new float[count];
        float* gathered = NativeRows.PointerOf(rows);
        for (int i = 0; i < count; i++) new ReadOnlySpan<float>(residual + (long)batch.PredictedFrom[i] * hidden, hidden)
            .CopyTo(new Span<float>(gathered + (long)i * hidden, hidden));
        RowNorm.Forward(
            gathered, NormWeight, new NativeRows(normed), inverseRms, (float)parameters.Architecture.RmsNormEpsilon, scratch.Row(hidden));
        predicted = normed.mm(Projection().t());
    }

    /// <summary>Goes on from the gradient by the logits that <see cref="Apply"/> or the loss left.</summary>
    /// <param name="residualGradient">[tokens, hidden], overwritten.</param>
    public void Backward(TokenBatch batch, float* residualGradient, GradientShare gradient)
    {
        using var scope = NewDisposeScope();
        int count = batch.Targets.Length;
        gradient.AddOutput(predicted!.t().mm(normed!));
        var normedGradient = predicted!.mm(Projection());
        var rowGradient = zeros([count, hidden]);
        float* compact = NativeRows.PointerOf(rowGradient);
        RowNorm.Backward(
            NativeRows.PointerOf(rows!), NormWeight, new NativeRows(normedGradient), inverseRms, compact,
            gradient.Slice(normOffset, hidden), scratch.Row(2 * hidden));
        new Span<float>(residualGradient, batch.Tokens.Length * hidden).Clear();
        for (int i = 0; i < count; i++) // a shared prompt's last token predicts several
        {
            var target = new Span<float>(residualGradient + (long)batch.PredictedFrom[i] * hidden, hidden);
            TensorPrimitives.Add(target, new ReadOnlySpan<float>(compact + (long)i * hidden, hidden), target);
        }

        Forget();
    }

    // Before the layers go back: the logits are most of what a micro-batch of a small model holds.
    private void Forget()
    {
        rows?.Dispose();
        normed?.Dispose();
        predicted?.Dispose();
        (rows, normed, predicted) = (null, null, null);
    }

    /// <summary>Turns the logits into probabilities in place.</summary>
    private PassSums LogSoftmax(int[] targets, Span<float> logProbabilities, Span<float> entropies)
    {
        var sums = default(PassSums);
        float* p = NativeRows.PointerOf(predicted!);
        var shifted = scratch.Row(vocabulary);
        for (int i = 0; i < targets.Length; i++)
        {
            var row = new Span<float>(p + (long)i * vocabulary, vocabulary);
            TensorPrimitives.Subtract(row, TensorPrimitives.Max<float>(row), shifted);
            TensorPrimitives.Exp(shifted, row);
            float total = TensorPrimitives.Sum<float>(row), logTotal = MathF.Log(total);
            TensorPrimitives.Multiply(row, 1 / total, row);
            logProbabilities[i] = shifted[targets[i]] - logTotal;
            float own = logTotal - TensorPrimitives.Dot<float>(row, shifted);
            if (!entropies.IsEmpty) entropies[i] = own;
            sums += new PassSums(0, 0, own, shifted[targets[i]] == 0 ? 1 : 0);
        }

        return sums;
    }

    private ReadOnlySpan<float> NormWeight => new(parameters.Pointer + normOffset, hidden);

    private Tensor Projection() => parameters.Values.narrow(0, projectionOffset, (long)vocabulary * hidden).view(vocabulary, hidden);
}
