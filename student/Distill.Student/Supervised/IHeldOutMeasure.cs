using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>What a look at held-out data measures: the same weights give the same value. One thread calls it.</summary>
public interface IHeldOutMeasure
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
