using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>What a look at held-out data measures: the same weights give the same value. One thread calls it.</summary>
internal interface IHeldOutMeasure
{
    /// <summary>In snake case: what it is called in the measurements.</summary>
    string Name { get; }

    bool HigherIsBetter { get; }

    /// <summary>Tokens of the longest sequence that the model is asked to score; 0 when it is not asked.</summary>
    int Longest { get; }

    /// <exception cref="OperationCanceledException">The look was broken off.</exception>
    double Of(IGradientModel model, CancellationToken cancellation);

    /// <summary>Adds what decides the values, so that a state is not continued with other held-out data.</summary>
    void AddTo(TrainingDigest digest);
}

/// <summary>When a supervised training looks at held-out data, and when it gives up.</summary>
/// <param name="Every">Steps between two looks, at least 1; the last step is always looked at.</param>
/// <param name="Patience">Looks in a row without a better value after which the training ends; 0: never.</param>
public sealed record HeldOutOptions(int Every, int Patience = 0);

/// <summary>One look at held-out data.</summary>
/// <param name="Step">Updates made before it.</param>
public sealed record HeldOutLook(int Step, double Value);

/// <summary>Cross-entropy in nats per learned token of held-out examples: one forward pass. Immutable.</summary>
internal sealed class HeldOutLoss : IHeldOutMeasure
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
