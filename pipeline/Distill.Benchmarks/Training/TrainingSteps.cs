using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = Distill.Student.Training.AdamW;

namespace Distill.Benchmarks.Training;

/// <summary>The product's training step. Dispose it before its parameters.</summary>
internal sealed class FusedStep : IDisposable
{
    private readonly FusedGradientModel model;
    private readonly AdamW optimizer;
    private readonly double learningRate;

    public FusedStep(FlatParameters parameters, double learningRate, MatmulPrecision precision)
    {
        this.learningRate = learningRate;
        int capacity = Math.Max(new TrainingOptions().MicroBatchTokens, parameters.Architecture.MaxPositions);
        model = new FusedGradientModel(parameters, precision, Environment.ProcessorCount, capacity);
        optimizer = new AdamW(parameters, new AdamWOptions());
    }

    /// <returns>The loss.</returns>
    public double Run(IReadOnlyList<TrainingSequence> sequences)
    {
        TorchSharp.torch.set_num_threads(1); // as the model demands; other variants of this process change it
        var pass = model.Differentiate(sequences, new CrossEntropy(sequences.Sum(sequence => (long)sequence.SupervisedCount)));
        optimizer.Update(model.Gradient, learningRate);
        return pass.Loss;
    }

    public void Dispose() => model.Dispose();
}

/// <summary>
/// A training step as one would write it in plain TorchSharp: padded batches, autograd, mean cross-entropy, libtorch's clipping and
/// AdamW, in fp32 or with the layers' products in bf16 over fp32 weights. Dispose it before its parameters.
/// </summary>
internal sealed class EagerStep : IDisposable
{
    private const long Ignored = -100;

    private readonly FlatParameters parameters;
    private readonly torch.Tensor products; // what the layers' products read: the weights themselves, or a copy in bf16
    private readonly TorchDecoder decoder;
    private readonly Tensor[] weights;
    private readonly Parameter[] leaves; // the weights' memory, as the optimizer wants it
    private readonly optim.Optimizer optimizer;
    private readonly int groups;

    /// <param name="groups">Batches that a step is cut into, sequences of like length together: 1 pads everything to the longest.</param>
    public EagerStep(FlatParameters parameters, double learningRate, int groups, MatmulPrecision precision = MatmulPrecision.Fp32)
    {
        (this.parameters, this.groups) = (parameters, groups);
        products = (precision == MatmulPrecision.Fp32 ? parameters.Values.alias() : parameters.Values.to(ScalarType.BFloat16))
            .DetachFromDisposeScope();
        decoder = new TorchDecoder(parameters, products, differentiable: true);
        weights = [.. ParameterMap.For(parameters.Architecture).Select(spec => decoder[spec.Name])];
        // a Parameter empties the tensor it is made from
        leaves = [.. parameters.Places.Select(place =>
            new Parameter(parameters.Values.narrow(0, place.Offset, place.Spec.Count).view([.. place.Spec.Shape])))];
        optimizer = optim.AdamW(leaves, learningRate, beta1: 0.9, beta2: 0.95, weight_decay: 0.01);
    }

    /// <returns>The loss.</returns>
    public double Run(IReadOnlyList<TrainingSequence> sequences)
    {
        set_num_threads(Environment.ProcessorCount);
        foreach (var weight in weights) weight.grad?.zero_();
        if (products.dtype != ScalarType.Float32) products.copy_(parameters.Values);
        double learned = sequences.Sum(sequence => (long)sequence.SupervisedCount), total = 0;
        int size = (sequences.Count + groups - 1) / groups;
        foreach (var part in sequences.OrderBy(sequence => sequence.Tokens.Count).Chunk(size))
        {
            using var scope = NewDisposeScope();
            var loss = Loss(part) / learned;
            loss.backward();
            total += loss.item<float>();
        }

        using var gradients = NewDisposeScope();
        for (int i = 0; i < weights.Length; i++) leaves[i].grad = weights[i].grad!.to(ScalarType.Float32);
        nn.utils.clip_grad_norm_(leaves, 1.0);
        optimizer.step();
        return total;
    }

    public void Dispose()
    {
        optimizer.Dispose();
        foreach (var leaf in leaves) leaf.Dispose();
        decoder.Dispose();
        products.Dispose();
    }

    private Tensor Loss(TrainingSequence[] sequences)
    {
        int time = sequences.Max(sequence => sequence.Tokens.Count);
        long[] ids = new long[sequences.Length * time], targets = new long[sequences.Length * time];
        Array.Fill(targets, Ignored);
        for (int row = 0; row < sequences.Length; row++)
        {
            var (tokens, first) = sequences[row];
            for (int i = 0; i < tokens.Count; i++) ids[(row * time) + i] = tokens[i];
            for (int i = first; i < tokens.Count; i++) targets[(row * time) + i - 1] = tokens[i]; // predicted from the token before it
        }

        var logits = decoder.Forward(tensor(ids, [sequences.Length, time])); // [batch, time, vocab]
        return nn.functional.cross_entropy(logits.flatten(0, 1), tensor(targets), ignore_index: Ignored, reduction: nn.Reduction.Sum);
    }
}
