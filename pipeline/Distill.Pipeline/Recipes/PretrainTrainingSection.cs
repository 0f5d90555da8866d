using Distill.Student.Pretraining;
using Distill.Student.Training;

namespace Distill.Pipeline.Recipes;

/// <summary><c>training</c> of a pretraining recipe. The data are endless, so their amount is steps × sequences per step.</summary>
public sealed record PretrainTrainingSection
{
    /// <summary>Optimiser steps. Required. 1..100,000,000.</summary>
    public int Steps { get; init; }

    /// <summary>Texts of one optimiser step. 1..1,048,576, default 128.</summary>
    public int SequencesPerStep { get; init; }

    /// <summary>Peak learning rate of AdamW. (0, 1], default 0.0025.</summary>
    public double LearningRate { get; init; }

    /// <summary>Share of the steps over which the rate rises from zero. 0..0.9, default 0.02.</summary>
    public double Warmup { get; init; }

    /// <summary>constant, linear, cosine, trapezoid, polynomial or inverse_square_root. Default trapezoid.</summary>
    public ScheduleKind Schedule { get; init; }

    /// <summary>Decoupled weight decay of the matrices. 0..10, default 0.01.</summary>
    public double WeightDecay { get; init; }

    /// <summary>fp32, mixed or fp16. Default mixed.</summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Training threads; sums are grouped by thread, so the number is part of the result. 1..256, default 2.</summary>
    public int Threads { get; init; }

    internal static PretrainTrainingSection Bind(SectionReader reader)
    {
        var section = new PretrainTrainingSection
        {
            Steps = reader.Integer("steps", null, 1, 100_000_000),
            SequencesPerStep = reader.Integer("sequences_per_step", 128, 1, 1 << 20),
            LearningRate = reader.Number("learning_rate", 2.5e-3, 0, 1, above: true),
            Warmup = reader.Number("warmup", 0.02, 0, 0.9),
            Schedule = reader.Choice("schedule", ScheduleKind.Trapezoid),
            WeightDecay = reader.Number("weight_decay", 0.01, 0, 10),
            Precision = reader.Choice("precision", TrainingPrecision.Mixed),
            Threads = reader.Integer("threads", 2, 1, 256),
        };
        reader.Require(
            section.Schedule != ScheduleKind.InverseSquareRoot || section.Warmup > 0, "warmup", "inverse_square_root falls by the length of the warm-up", "raise it above 0, e.g. to 0.02");
        reader.Close();
        return section;
    }

    internal PretrainingOptions ToOptions(ulong seed, PretrainingMixture mixture) => new()
    {
        Mixture = mixture,
        Seed = seed,
        SequencesPerStep = SequencesPerStep,
        Steps = Steps,
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Schedule.ToDecay(),
            WarmupShare = Warmup,
            Optimizer = new AdamWOptions(WeightDecay: WeightDecay),
            Precision = Precision.ToMatmulPrecision(),
            RoundingSeed = seed,
            Threads = Threads,
        },
    };
}
