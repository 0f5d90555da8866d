using Distill.Student.Training;

namespace Distill.Student.Pretraining;

/// <summary>Options of <see cref="Pretraining"/>. Everything but <see cref="SaveEvery"/> changes the result.</summary>
public sealed record PretrainingOptions
{
    public required PretrainingMixture Mixture { get; init; }

    public ulong Seed { get; init; } = 1;

    public int SequencesPerStep { get; init; } = 128;

    public int Steps { get; init; } = 3000;

    public TrainingOptions Training { get; init; } = new() { LearningRate = 2.5e-3, Decay = Decay.Trapezoid, WarmupShare = 0.02 };

    /// <summary>Share of the steps at the end over which the learning rate falls.</summary>
    public double DecayShare { get; init; } = 0.35;

    /// <summary>Steps between two saved states.</summary>
    public int SaveEvery { get; init; } = 200;
}
