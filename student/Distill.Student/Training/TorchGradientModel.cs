using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>
/// Differentiates the reference decoder by autograd, one sequence at a time: plain, slow, works for every architecture.
/// What <see cref="Fused.FusedGradientModel"/> must agree with.
/// </summary>
public sealed class TorchGradientModel(FlatParameters parameters) : IGradientModel
{
    private readonly TorchDecoder decoder = new(parameters, differentiable: true);
    private readonly float[] gradient = new float[parameters.Count];

    public FlatParameters Parameters => parameters;

    public ReadOnlySpan<float> Gradient => gradient;

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss)
    {
        foreach (var (name, _, _) in parameters.Places) decoder[name].grad?.zero_();
        double value = 0, logProbability = 0, entropy = 0;
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            var batch = new TokenBatch([sequence]);
            var (chosen, entropies) = LogProbabilities(batch);
            float[] scored = [.. chosen.data<float>()];
            var derivatives = new float[scored.Length];
            value += loss.Evaluate(batch, scored, derivatives);
            (chosen * tensor(derivatives)).sum().backward();
            logProbability += scored.Sum(x => (double)x);
            entropy += entropies.sum().item<float>();
        }

        CollectGradient();
        double learned = sequences.Sum(sequence => (long)sequence.SupervisedCount);
        return new PassResult(value, logProbability / learned, entropy / learned);
    }

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss)
    {
        foreach (var (name, _, _) in parameters.Places) decoder[name].grad?.zero_();
        double value = 0, logProbability = 0, entropy = 0;
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            var logits = Logits(new TokenBatch([sequence]));
            int vocabulary = (int)logits.shape[1];
            float[] rows = [.. logits.detach().contiguous().data<float>()], slopes = new float[rows.Length];
            for (int i = 0; i < sequence.SupervisedCount; i++)
            {
                Span<float> row = rows.AsSpan(i * vocabulary, vocabulary), slope = slopes.AsSpan(i * vocabulary, vocabulary);
                entropy += Fused.DistributionRow.Measure(row, sequence.Tokens[sequence.FirstSupervised + i], slope, out float chosen);
                logProbability += chosen;
                value += loss.Evaluate(sequence, i, row, slope);
            }

            (logits * tensor(slopes).view(logits.shape)).sum().backward();
        }

        CollectGradient();
        double learned = sequences.Sum(sequence => (long)sequence.SupervisedCount);
        return new PassResult(value, logProbability / learned, entropy / learned);
    }

    public IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences)
    {
        var results = new List<float[]>();
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            using var without = no_grad();
            results.Add([.. LogProbabilities(new TokenBatch([sequence])).Chosen.data<float>()]);
        }

        return results;
    }

    public void Dispose() => decoder.Dispose();

    private (Tensor Chosen, Tensor Entropies) LogProbabilities(TokenBatch batch)
    {
        var all = nn.functional.log_softmax(Logits(batch), -1);
        var entropies = -(all.detach().exp() * all.detach()).sum(-1);
        return (all.gather(1, tensor(batch.Targets, dtype: ScalarType.Int64).unsqueeze(1)).squeeze(1), entropies);
    }

    private Tensor Logits(TokenBatch batch) // [supervised, vocab]
    {
        var ids = tensor(batch.Tokens, dtype: ScalarType.Int64).unsqueeze(0);
        return decoder.Forward(ids)[0].index_select(0, tensor(batch.PredictedFrom, dtype: ScalarType.Int64));
    }

    private void CollectGradient()
    {
        using var scope = NewDisposeScope();
        foreach (var (name, offset, spec) in parameters.Places)
        {
            var target = gradient.AsSpan(offset, (int)spec.Count);
            if (decoder[name].grad is { } filled) System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(filled.contiguous().bytes).CopyTo(target);
            else target.Clear();
        }
    }
}
