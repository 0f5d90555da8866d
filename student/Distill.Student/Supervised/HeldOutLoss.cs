using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>Cross-entropy in nats per learned token of held-out examples: one forward pass. Immutable.</summary>
public sealed class HeldOutLoss : IHeldOutMeasure
{
    private readonly IReadOnlyList<TrainingSequence> examples;

    /// <exception cref="ArgumentException">There are none.</exception>
    public HeldOutLoss(IReadOnlyList<TrainingSequence> examples)
    {
        if (examples.Count == 0) throw new ArgumentException("There is nothing to look at: the list of held-out examples is empty.");
        this.examples = examples;
    }

    public string Name => "held_out_loss";

    public bool HigherIsBetter => false;

    public int Longest => examples.Max(example => example.Tokens.Count);

    public double Of(IGradientModel model, CancellationToken cancellation)
    {
        double sum = 0;
        foreach (float[] scored in model.Score(examples))
            foreach (float logProbability in scored) sum -= logProbability;
        return sum / examples.Sum(example => (long)example.SupervisedCount);
    }

    public void AddTo(TrainingDigest digest) => digest.Add(Name).Add(examples);
}
