using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Pipeline.Recipes;

/// <summary>How the learning rate moves over the steps, after the warm-up.</summary>
public enum ScheduleKind
{
    Constant,

    /// <summary>Falls in a straight line to zero.</summary>
    Linear,

    /// <summary>Falls along half a cosine to zero.</summary>
    Cosine,

    /// <summary>Constant, then a straight line to zero over the last third.</summary>
    Trapezoid,

    /// <summary>Falls along a parabola to zero.</summary>
    Polynomial,

    /// <summary>Falls as 1/√step after the warm-up, never to zero.</summary>
    InverseSquareRoot,
}

/// <summary>Arithmetic of a training step.</summary>
public enum TrainingPrecision
{
    Fp32,

    /// <summary>bf16 matrix products over fp32 weights.</summary>
    Mixed,

    /// <summary>fp16 matrix products over fp32 weights with a loss scale, for devices without bf16; slow on a CPU.</summary>
    Fp16,
}

/// <summary><c>sft</c>: supervised fine-tuning on the kept traces, loss on the completion only.</summary>
public sealed record TrainingSection
{
    public static TrainingSection Default { get; } = new()
    {
        Epochs = 2,
        BatchTokens = 4096,
        SequenceLength = 256,
        LearningRate = 2e-3,
        Warmup = 0.03,
        Schedule = ScheduleKind.Trapezoid,
        WeightDecay = 0,
        Precision = TrainingPrecision.Fp32,
        Threads = 2,
    };

    /// <summary>Times each example is seen. 1..1,000, default 2.</summary>
    public int Epochs { get; init; }

    /// <summary>Tokens of one optimiser step. 16..16,777,216, default 4,096.</summary>
    public int BatchTokens { get; init; }

    /// <summary>Longest example in tokens; longer ones are left out and counted. 16..1,048,576, default 256.</summary>
    public int SequenceLength { get; init; }

    /// <summary>Peak learning rate of AdamW. (0, 1], default 0.002.</summary>
    public double LearningRate { get; init; }

    /// <summary>Share of the steps over which the rate rises from zero. 0..0.9, default 0.03.</summary>
    public double Warmup { get; init; }

    /// <summary>constant, linear, cosine, trapezoid, polynomial or inverse_square_root. Default trapezoid.</summary>
    public ScheduleKind Schedule { get; init; }

    /// <summary>Share of the peak that the rate falls to instead of zero. [0, 1], default 0.</summary>
    public double? RateFloor { get; init; }

    /// <summary>Of trapezoid: linear, cosine or square_root. Default linear.</summary>
    public CoolDown? CoolDown { get; init; }

    /// <summary>Decoupled weight decay of the matrices. 0..10, default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>fp32, mixed or fp16. Default fp32.</summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Training threads; sums are grouped by thread, so the number is part of the result. 1..256, default 2.</summary>
    public int Threads { get; init; }

    /// <summary>Decay of a moving average of the weights, which then is the result instead of the last weights. [0, 1), default none.</summary>
    public double? WeightAverage { get; init; }

    /// <summary>token, or sequence: long examples count no more than short ones. Default token.</summary>
    public TokenAverage? Average { get; init; }

    /// <summary>Whether each token's loss is weighted by its probability (DFT). Default false.</summary>
    public bool? Dft { get; init; }

    /// <summary>Share of the uniform distribution in the target. [0, 0.9], default 0.</summary>
    public double? LabelSmoothing { get; init; }

    /// <summary>Weight of the squared logarithm of softmax's denominator. [0, 1], default 0.</summary>
    public double? ZLoss { get; init; }

    /// <summary>Weight of the predicted entropy, which is rewarded: a penalty for confidence. [0, 10], default 0.</summary>
    public double? EntropyBonus { get; init; }

    /// <summary>Null: nothing is held out, and the last weights are the result.</summary>
    public HeldOutSection? HeldOut { get; init; }

    internal static TrainingSection Bind(SectionReader reader, TrainingSection inherited)
    {
        var section = Read(reader, inherited);
        reader.Close();
        return section;
    }

    internal static TrainingSection Read(SectionReader reader, TrainingSection inherited)
    {
        var section = new TrainingSection
        {
            Epochs = reader.Integer("epochs", inherited.Epochs, 1, 1000),
            BatchTokens = reader.Integer("batch_tokens", inherited.BatchTokens, 16, 1 << 24),
            SequenceLength = reader.Integer("sequence_length", inherited.SequenceLength, 16, 1 << 20),
            LearningRate = reader.Number("learning_rate", inherited.LearningRate, 0, 1, above: true),
            Warmup = reader.Number("warmup", inherited.Warmup, 0, 0.9),
            Schedule = reader.Choice("schedule", inherited.Schedule),
            RateFloor = reader.Optional("rate_floor", (r, key) => r.Number(key, 0, 0, 1)) ?? inherited.RateFloor,
            CoolDown = reader.Optional("cool_down", (r, key) => r.Choice(key, Distill.Student.Training.CoolDown.Linear)) ?? inherited.CoolDown,
            WeightDecay = reader.Number("weight_decay", inherited.WeightDecay, 0, 10),
            Precision = reader.Choice("precision", inherited.Precision),
            Threads = reader.Integer("threads", inherited.Threads, 1, 256),
            WeightAverage = reader.Optional("weight_average", (r, key) => r.Number(key, 0.99, 0, 0.999999)) ?? inherited.WeightAverage,
            Average = reader.Optional("average", (r, key) => r.Choice(key, TokenAverage.Token)) ?? inherited.Average,
            Dft = reader.Optional("dft", (r, key) => r.Flag(key, false)) ?? inherited.Dft,
            LabelSmoothing = reader.Optional("label_smoothing", (r, key) => r.Number(key, 0, 0, 0.9)) ?? inherited.LabelSmoothing,
            ZLoss = reader.Optional("z_loss", (r, key) => r.Number(key, 0, 0, 1)) ?? inherited.ZLoss,
            EntropyBonus = reader.Optional("entropy_bonus", (r, key) => r.Number(key, 0, 0, 10)) ?? inherited.EntropyBonus,
            HeldOut = HeldOutSection.Bind(reader.Section("held_out")) ?? inherited.HeldOut,
        };
        reader.Require(
            section.BatchTokens >= section.SequenceLength || !(reader.Has("batch_tokens") || reader.Has("sequence_length")), "batch_tokens",
            $"smaller than one example of {section.SequenceLength:N0} tokens", "raise batch_tokens or lower sequence_length");
        reader.Require(
            section.Schedule != ScheduleKind.InverseSquareRoot || section.Warmup > 0 || !(reader.Has("schedule") || reader.Has("warmup")), "warmup", "inverse_square_root falls by the length of the warm-up", "raise it above 0, e.g. to 0.03");
        reader.Require(
            section.Schedule == ScheduleKind.Trapezoid || !reader.IsGiven("cool_down"), "cool_down", "only trapezoid has a last part of its own", "leave it out, or set schedule to trapezoid");
        return section;
    }

    /// <returns>Null for plain cross-entropy.</returns>
    internal SupervisedLossOptions? ToLoss()
    {
        var loss = new SupervisedLossOptions
        {
            Average = Average ?? TokenAverage.Token,
            Rectified = Dft ?? false,
            LabelSmoothing = LabelSmoothing ?? 0,
            PartitionWeight = ZLoss ?? 0,
            EntropyBonus = EntropyBonus ?? 0,
        };
        return loss == new SupervisedLossOptions() ? null : loss;
    }

    /// <param name="softLabels">Null: hard labels alone.</param>
    /// <param name="lora">Null: the weights themselves are trained.</param>
    internal SupervisedOptions ToOptions(ulong seed, SoftLabelSection? softLabels, LoraSection? lora) => new()
    {
        Epochs = Epochs,
        BatchTokens = BatchTokens,
        Seed = seed,
        WeightAverage = WeightAverage,
        SoftLabels = softLabels is { } soft ? new SoftLabelOptions(soft.ToDivergence(), soft.Weight) : null,
        Loss = ToLoss(),
        HeldOut = HeldOut?.ToOptions(),
        LowRank = lora?.ToOptions(),
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Schedule.ToDecay(),
            WarmupShare = Warmup,
            RateFloor = RateFloor ?? 0,
            CoolDown = CoolDown ?? Distill.Student.Training.CoolDown.Linear,
            Optimizer = new AdamWOptions(WeightDecay: WeightDecay),
            Precision = Precision.ToMatmulPrecision(),
            RoundingSeed = seed,
            Threads = Threads,
            MicroBatchTokens = Math.Max(2048, SequenceLength),
        },
    };
}
