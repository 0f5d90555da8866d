using Distill.Architecture;
using Distill.Student.Distillation;
using Distill.Student.Model;

namespace Distill.Export.Quantization;

/// <summary>How a rounded decoder is distilled from itself. Immutable.</summary>
/// <param name="Steps">Updates, a batch each.</param>
/// <param name="BatchTokens">Least tokens of a batch; texts are not cut.</param>
/// <param name="Rate">Largest relative change of a scale or norm by one update; falls to zero over the steps.</param>
internal sealed record RecoveryOptions(int Steps = 40, int BatchTokens = 1024, double Rate = 2e-3);

/// <summary>What a recovery gave.</summary>
/// <param name="Before">Mean divergence from the exact model on texts that were not trained on, in nats per token.</param>
/// <param name="After">The same afterwards; never more, because what does not help is thrown away.</param>
/// <param name="Weights">The exact weights with the norms that go with the codes.</param>
internal sealed record RecoveryResult(double Before, double After, int Steps, WeightSet Weights, ModelQuantization Quantization)
{
    /// <summary>Whether the updates were kept.</summary>
    public bool Helped => After < Before;
}

/// <summary>
/// A short distillation of a rounded decoder by itself unrounded: codes stay, the scales of the projections and the norms are trained on
/// the divergence at every position. With w = code·scale the gradient of a scale is Σ code·∂L/∂w over its block. Each value is trained by
/// the share that it changes, with Adam (Kingma and Ba 2014, arXiv 1412.6980), so that large and small ones move alike. Deterministic for a
/// given number of threads. One thread of the caller's.
/// </summary>
internal sealed class ScaleRecovery(WeightSet weights, ModelQuantization quantization, RecoveryOptions options, int threads)
{
    private const int HeldOutEvery = 8;

    private readonly Dictionary<string, RelativeAdam> trained = [];

    /// <param name="texts">Two at least: every eighth is held out.</param>
    /// <param name="progress">Told the share done, from 0 to 1.</param>
    public RecoveryResult Run(
        IReadOnlyList<IReadOnlyList<int>> texts, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        if (texts.Count < 2) throw new InvalidDataException("Recovery needs two texts at least: one of them is held out.");
        using var distillation = new SelfDistillation(weights, texts, threads, cancellation);
        TeacherSequence[] held = [.. distillation.Sequences.Where((_, index) => index % HeldOutEvery == 0)],
            training = [.. distillation.Sequences.Where((_, index) => index % HeldOutEvery != 0)];
        var matrices = quantization.Matrices.ToDictionary(pair => pair.Key, pair => pair.Value.WithOwnScales());
        foreach (var (name, matrix) in matrices) matrix.Dequantize(distillation.Parameters.SpanOf(name));
        double before = distillation.Differentiate(held);
        int place = 0;
        for (int step = 0; step < options.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            distillation.Differentiate(Batch(training, ref place));
            Update(distillation, matrices, options.Rate * (1 - ((double)step / options.Steps)));
            progress?.Invoke((step + 1.0) / options.Steps);
        }

        double after = distillation.Differentiate(held);
        return after < before
            ? new(before, after, options.Steps, WithNorms(distillation.Parameters), new(matrices))
            : new(before, before, options.Steps, weights, quantization);
    }

    private TeacherSequence[] Batch(TeacherSequence[] training, ref int place)
    {
        var batch = new List<TeacherSequence>();
        for (int tokens = 0; tokens < options.BatchTokens && batch.Count < training.Length; place++)
        {
            batch.Add(training[place % training.Length]);
            tokens += batch[^1].Tokens.Count;
        }

        return [.. batch];
    }

    private void Update(SelfDistillation distillation, Dictionary<string, QuantizedMatrix> matrices, double rate)
    {
        foreach (var parameter in ParameterMap.For(weights.Architecture))
        {
            var gradient = distillation.GradientOf(parameter.Name);
            var values = distillation.Parameters.SpanOf(parameter.Name);
            if (IsNorm(parameter.Name))
            {
                Of(parameter.Name, values).Update(gradient, values, rate);
            }
            else if (matrices.TryGetValue(parameter.Name, out var matrix) && !IsTable(parameter.Name))
            {
                float[] slopes = new float[matrix.Scales.Length];
                matrix.SumByBlock(gradient, slopes);
                Of(parameter.Name, matrix.Scales).Update(slopes, matrix.Scales, rate);
                matrix.Dequantize(values);
            }
        }
    }

    private RelativeAdam Of(string name, ReadOnlySpan<float> start)
    {
        if (!trained.TryGetValue(name, out var adam)) trained.Add(name, adam = new RelativeAdam(start));
        return adam;
    }

    private WeightSet WithNorms(FlatParameters parameters) => new(weights.Architecture, ParameterMap.For(weights.Architecture).Select(
        parameter => KeyValuePair.Create(
            parameter.Name, IsNorm(parameter.Name) ? parameters.SpanOf(parameter.Name).ToArray() : weights[parameter.Name])));

    private static bool IsNorm(string name) => name.EndsWith("norm.weight", StringComparison.Ordinal);

    private static bool IsTable(string name) => name is ParameterMap.Embedding or ParameterMap.OutputProjection;
}

/// <summary>Adam over the share by which each value differs from its start. One thread.</summary>
internal sealed class RelativeAdam(ReadOnlySpan<float> start)
{
    private const double First = 0.9, Second = 0.99, Least = 1e-12;

    private readonly float[] start = start.ToArray(), shares = new float[start.Length], mean = new float[start.Length],
        square = new float[start.Length];

    private int steps;

    /// <param name="gradient">By the values.</param>
    /// <param name="values">Overwritten with start · (1 + share).</param>
    public void Update(ReadOnlySpan<float> gradient, Span<float> values, double rate)
    {
        steps++;
        double meanBias = 1 - Math.Pow(First, steps), squareBias = 1 - Math.Pow(Second, steps);
        for (int i = 0; i < values.Length; i++)
        {
            double slope = (double)gradient[i] * start[i];
            mean[i] = (float)((First * mean[i]) + ((1 - First) * slope));
            square[i] = (float)((Second * square[i]) + ((1 - Second) * slope * slope));
            shares[i] -= (float)(rate * (mean[i] / meanBias) / (Math.Sqrt(square[i] / squareBias) + Least));
            values[i] = start[i] * (1 + shares[i]);
        }
    }
}
