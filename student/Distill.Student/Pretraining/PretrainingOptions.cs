using Distill.Data.Problems;
using Distill.Student.Training;

namespace Distill.Student.Pretraining;

/// <summary>Options of <see cref="Pretraining"/>. Everything but <see cref="SaveEvery"/> changes the result.</summary>
internal sealed record PretrainingOptions
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

/// <summary>What a model is pretrained on. Shares of the three kinds of text are relative to one another.</summary>
internal sealed record PretrainingMixture
{
    public required IReadOnlyList<ProblemShare> Problems { get; init; }

    /// <summary>Problems with their solutions as chats, of which the reply is learned: makes a reasoner.</summary>
    public double Solutions { get; init; }

    /// <summary>Problem texts alone, learned whole: teaches the language of the problems.</summary>
    public double Texts { get; init; }

    /// <summary>Single-step facts, learned whole: teaches the steps without their order.</summary>
    public double Facts { get; init; }

    public int FactsPerSequence { get; init; } = 8;
}

/// <summary>A family at one level and its share of a mixture (relative to the other shares).</summary>
internal sealed record ProblemShare(IProblemFamily Family, int Level, double Weight);
