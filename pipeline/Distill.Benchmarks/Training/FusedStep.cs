using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

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
