using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// Differentiates <see cref="TorchDecoder"/> by autograd, one sequence at a time, in fp32 in the computer's memory: short and slow. What
/// the passes that train are compared with.
/// </summary>
internal sealed class ReferenceGradientModel : IGradientModel
{
    private readonly TorchDecoder decoder;
    private readonly FlatGradient gradient;

    /// <param name="parameters">Shared with the caller, who disposes them after this.</param>
    public ReferenceGradientModel(FlatParameters parameters)
    {
        Parameters = parameters;
        decoder = new TorchDecoder(parameters, differentiable: true);
        gradient = new FlatGradient(parameters);
    }

    public FlatParameters Parameters { get; }

    public Tensor Gradient => gradient.Values;

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss) =>
        Differentiate(sequences, (sequence, _, all) =>
        {
            var batch = new TokenBatch([sequence]);
            var scored = Chosen(all, batch.Targets);
            float[] derivatives = new float[sequence.SupervisedCount];
            double value = loss.Evaluate(batch, [.. scored.detach().data<float>()], derivatives);
            Pull(scored, tensor(derivatives));
            return value;
        });

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss) =>
        Differentiate(sequences, (sequence, logits, _) =>
        {
            float[] values = [.. logits.detach().data<float>()], slopes = new float[values.Length];
            int vocabulary = Parameters.Architecture.VocabularySize;
            double value = 0;
            for (int position = 0; position < sequence.SupervisedCount; position++)
                value += loss.Evaluate(
                    sequence, position, values.AsSpan(position * vocabulary, vocabulary), slopes.AsSpan(position * vocabulary, vocabulary));
            Pull(logits, tensor(slopes, [sequence.SupervisedCount, vocabulary]));
            return value;
        });

    public IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences) =>
        Measure(sequences, (all, targets) => Chosen(all, targets));

    public IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences) =>
        Measure(sequences, (all, _) => Entropy(all));

    public void Dispose()
    {
        gradient.Dispose();
        decoder.Dispose();
    }

    private static Tensor Chosen(Tensor all, int[] targets) =>
        all.gather(1, tensor(targets, dtype: ScalarType.Int64).unsqueeze(1)).squeeze(1);

    private static Tensor Entropy(Tensor all) => (all.exp() * all).sum(-1).neg();

    // [supervised, vocabulary]
    private Tensor Logits(TrainingSequence sequence)
    {
        int[] read = [.. sequence.Tokens.Take(sequence.Tokens.Count - 1)];
        var logits = decoder.Forward(tensor(read, dtype: ScalarType.Int64).unsqueeze(0))[0];
        return logits.narrow(0, sequence.FirstSupervised - 1, sequence.SupervisedCount);
    }

    // The loss gets [supervised, vocabulary]: logits and log-probabilities, with their graph.
    private PassResult Differentiate(
        IReadOnlyList<TrainingSequence> sequences, Func<TrainingSequence, Tensor, Tensor, double> evaluate)
    {
        gradient.Clear();
        var sums = default(PassSums);
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            var logits = Logits(sequence);
            var all = nn.functional.log_softmax(logits, -1);
            sums += Sums(sequence, all.detach()) with { Loss = evaluate(sequence, logits, all) };
        }

        return sums.Over(sequences);
    }

    private static PassSums Sums(TrainingSequence sequence, Tensor all)
    {
        var chosen = Chosen(all, new TokenBatch([sequence]).Targets);
        return new PassSums(
            0, chosen.sum().item<float>(), Entropy(all).sum().item<float>(), chosen.eq(all.amax([-1])).sum().item<long>());
    }

    private void Pull(Tensor output, Tensor slopes)
    {
        var places = Parameters.Places.ToList();
        var pulled = autograd.grad([output], [.. places.Select(place => decoder[place.Name])], [slopes]);
        foreach (var (index, place) in places.Index()) gradient.Add(place.Offset, pulled[index].contiguous());
    }

    private List<float[]> Measure(IReadOnlyList<TrainingSequence> sequences, Func<Tensor, int[], Tensor> measure)
    {
        using var without = no_grad();
        var results = new List<float[]>();
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            var all = nn.functional.log_softmax(Logits(sequence), -1);
            results.Add([.. measure(all, new TokenBatch([sequence]).Targets).data<float>()]);
        }

        return results;
    }
}
