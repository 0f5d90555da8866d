using System.Runtime.InteropServices;
using Distill.Student.Distillation;
using Distill.Student.Model;
using Distill.Student.Training;
using Distill.Architecture;
using static TorchSharp.torch;

namespace Distill.Export.Quantization;

/// <summary>
/// How far a rounded decoder is from itself unrounded: KL divergence of the next token at every position of texts, with its gradient by the
/// rounded weights. The exact model is known by its likeliest tokens and what these leave over. Holds all weights in fp32 and a gradient of
/// their size. One thread of the caller's; dispose it.
/// </summary>
internal sealed class SelfDistillation : IDisposable
{
    private const int Top = 64;

    private static readonly TopTokenDivergence Divergence = new(new ForwardDivergence(), TokenSupport.TailBucket);

    private readonly IGradientModel model;

    /// <param name="weights">The exact model's.</param>
    /// <param name="texts">Token ids; at least two each.</param>
    /// <exception cref="OperationCanceledException">Between two texts.</exception>
    public SelfDistillation(
        WeightSet weights, IReadOnlyList<IReadOnlyList<int>> texts, int threads, CancellationToken cancellation = default)
    {
        Parameters = new FlatParameters(weights.Architecture);
        Parameters.Load(weights);
        Sequences = Label(texts, Math.Min(Top, weights.Architecture.VocabularySize), cancellation);
        var options = new TrainingOptions
        {
            Precision = Student.Fused.MatmulPrecision.Fp32, Threads = threads, MicroBatchTokens = texts.Max(text => text.Count),
        };
        model = GradientModels.Create(Parameters, options, texts.Max(text => text.Count));
    }

    /// <summary>The weights that are differentiated, all in one vector.</summary>
    public FlatParameters Parameters { get; }

    /// <summary>The texts with what the exact model thought at each position.</summary>
    public IReadOnlyList<TeacherSequence> Sequences { get; }

    /// <summary>Gradient of the last <see cref="Differentiate"/> by a parameter, where it lies.</summary>
    public ReadOnlySpan<float> GradientOf(string name) => Student.Fused.HostValues.Of(model.Gradient)
        .Slice(checked((int)Parameters.OffsetOf(name)), Parameters.SpanOf(name).Length);

    /// <returns>Mean divergence over the positions, in nats.</returns>
    public double Differentiate(IReadOnlyList<TeacherSequence> sequences) => model.Differentiate(
        sequences, new SoftLabelLoss(Divergence, 1, sequences.Sum(sequence => (long)sequence.SupervisedCount))).Loss;

    public void Dispose()
    {
        model.Dispose();
        Parameters.Dispose();
    }

    private List<TeacherSequence> Label(IReadOnlyList<IReadOnlyList<int>> texts, int top, CancellationToken cancellation)
    {
        using var without = no_grad();
        using var decoder = new TorchDecoder(Parameters, differentiable: false);
        List<TeacherSequence> labelled = [];
        foreach (var text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            long[] ids = [.. text.Select(id => (long)id)];
            var logits = decoder.Forward(tensor(ids, [1, ids.Length])).squeeze(0).narrow(0, 0, ids.Length - 1); // [learned, vocabulary]
            var (values, indices) = logits.log_softmax(-1).topk(top, -1);
            long[] chosen = MemoryMarshal.Cast<byte, long>(indices.contiguous().bytes).ToArray();
            float[] probabilities = MemoryMarshal.Cast<byte, float>(values.contiguous().bytes).ToArray();
            labelled.Add(TeacherSequence.Of(text, 1, [.. chosen.Select(id => (int)id)], probabilities));
        }

        return labelled;
    }
}
