using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Pipeline.Recipes;

/// <summary><c>rl</c>: GRPO with verifiable rewards from the student trained so far; the best held-out weights are kept.</summary>
public sealed record ReinforcementSection
{
    /// <summary>Policy updates at most; 0 leaves the stage out. 0..1,000,000, default 100.</summary>
    public int Steps { get; init; }

    /// <summary>Problems asked for one update. 1..65,536, default 32.</summary>
    public int ProblemsPerStep { get; init; }

    /// <summary>Completions drawn for each problem: the group. 2..1,024, default 8.</summary>
    public int Samples { get; init; }

    /// <summary>How often the completions of a step are learned from. 1..100, default 1.</summary>
    public int? UpdatesPerBatch { get; init; }

    /// <summary>(0, 1], default 0.00015.</summary>
    public double LearningRate { get; init; }

    /// <summary>fp32, mixed or fp16. Default fp32, in which trainer and sampler agree to the last digits; otherwise their distance is a part of every ratio.</summary>
    public TrainingPrecision? Precision { get; init; }

    /// <summary>The probability ratio is clipped below 1 − this. (0, 1], default 0.2.</summary>
    public double ClipLow { get; init; }

    /// <summary>The probability ratio is clipped above 1 + this. (0, 10], default 0.28.</summary>
    public double ClipHigh { get; init; }

    /// <summary>Of the completions. (0, 10], default 1.</summary>
    public double Temperature { get; init; }

    /// <summary>Longest completion. 1..1,000,000, default 128.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Steps between held-out scores. 1..1,000,000, default 10.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Validation problems of each held-out score. 1..problems.validation, default the smaller of 128 and that.</summary>
    public int ValidationProblems { get; init; }

    /// <summary>clipped (PPO), capped (CISPO), sapo or vespo: what a token costs by its probability ratio. Default clipped.</summary>
    public SurrogateKind? Surrogate { get; init; }

    /// <summary>Of capped: largest weight of a token. (0, 1000], default 5; null for the others.</summary>
    public double? WeightCap { get; init; }

    /// <summary>Of sapo: how fast the gate closes where the advantage is above 0. (0, 100], default 1; null for the others.</summary>
    public double? GatePositive { get; init; }

    /// <summary>The same where it is not. (0, 100], default 1.05.</summary>
    public double? GateNegative { get; init; }

    /// <summary>token, sequence (GSPO) or product (RLOO): what the probability ratio is taken of. Default token, of vespo product.</summary>
    public RatioLevel? Ratio { get; init; }

    /// <summary>Largest probability ratio that counts, which bounds the importance correction. (1, 1000], default none.</summary>
    public double? RatioCap { get; init; }

    /// <summary>token (DAPO), sequence (GRPO), token_limit (Dr. GRPO) or sequence_sum (LUSPO): what the tokens' losses are divided by. Default token.</summary>
    public PolicyAggregation? Aggregation { get; init; }

    /// <summary>group, batch, none (Dr. GRPO), leave_one_out (RLOO) or leave_one_out_batch. Default group.</summary>
    public AdvantageScale? Advantage { get; init; }

    /// <summary>Weight of KL to the starting weights, k3 per token. 0..100, default 0.</summary>
    public double? ReferenceWeight { get; init; }

    /// <summary>Whether that is weighted by the token's probability ratio. Default false.</summary>
    public bool? ReferenceCorrection { get; init; }

    /// <summary>Learn the teacher's opinion of every token that the student samples, this strongly, in place of rewards. (0, 100], default rewards.</summary>
    public double? TeacherWeight { get; init; }

    /// <summary>Share of the tokens, the most uncertain ones, that are learned from. (0, 1], default all.</summary>
    public double? TopEntropy { get; init; }

    /// <summary>Whether truncated completions are left out of the loss. Default true.</summary>
    public bool? MaskTruncated { get; init; }

    /// <summary>How often in a step problems are replaced whose completions all earned the same. 0..100, default 0.</summary>
    public int? ResampleRounds { get; init; }

    /// <summary>Null: the verdict alone.</summary>
    public RewardSection? Rewards { get; init; }

    /// <summary>Null: nothing is watched.</summary>
    public AlarmSection? Alarms { get; init; }

    internal static ReinforcementSection Bind(SectionReader reader, ProblemSection problems, TeacherSection teacher)
    {
        int available = Math.Max(1, problems.Validation), maxTokens = reader.Integer("max_tokens", 128, 1, 1_000_000);
        var surrogate = reader.Optional("surrogate", (r, key) => r.Choice(key, SurrogateKind.Clipped));
        var section = new ReinforcementSection
        {
            Steps = reader.Integer("steps", 100, 0, 1_000_000),
            ProblemsPerStep = reader.Integer("problems_per_step", 32, 1, 65_536),
            Samples = reader.Integer("samples", 8, 2, 1024),
            UpdatesPerBatch = reader.Optional("updates_per_batch", (r, key) => r.Integer(key, 1, 1, 100)),
            LearningRate = reader.Number("learning_rate", 1.5e-4, 0, 1, above: true),
            Precision = reader.Optional("precision", (r, key) => r.Choice(key, TrainingPrecision.Fp32)),
            ClipLow = reader.Number("clip_low", 0.2, 0, 1, above: true),
            ClipHigh = reader.Number("clip_high", 0.28, 0, 10, above: true),
            Temperature = reader.Number("temperature", 1, 0, 10, above: true),
            MaxTokens = maxTokens,
            EvaluateEvery = reader.Integer("evaluate_every", 10, 1, 1_000_000),
            ValidationProblems = reader.Integer("validation_problems", Math.Min(128, available), 1, 1_000_000),
            Surrogate = surrogate,
            WeightCap = SurrogateChoice.Of(reader, "weight_cap", 5, 1000, surrogate == SurrogateKind.Capped),
            GatePositive = SurrogateChoice.Of(reader, "gate_positive", 1, 100, surrogate == SurrogateKind.Sapo),
            GateNegative = SurrogateChoice.Of(reader, "gate_negative", 1.05, 100, surrogate == SurrogateKind.Sapo),
            Ratio = reader.Optional("ratio", (r, key) => r.Choice(key, RatioLevel.Token)),
            RatioCap = reader.Optional("ratio_cap", (r, key) => r.Number(key, 1000, 1, 1000, above: true)),
            Aggregation = reader.Optional("aggregation", (r, key) => r.Choice(key, PolicyAggregation.Token)),
            Advantage = reader.Optional("advantage", (r, key) => r.Choice(key, AdvantageScale.Group)),
            ReferenceWeight = reader.Optional("reference_weight", (r, key) => r.Number(key, 0, 0, 100)),
            ReferenceCorrection = reader.Optional("reference_correction", (r, key) => r.Flag(key, false)),
            TeacherWeight = reader.Optional("teacher_weight", (r, key) => r.Number(key, 1, 0, 100, above: true)),
            TopEntropy = reader.Optional("top_entropy", (r, key) => r.Number(key, 1, 0, 1, above: true)),
            MaskTruncated = reader.Optional("mask_truncated", (r, key) => r.Flag(key, true)),
            ResampleRounds = reader.Optional("resample_rounds", (r, key) => r.Integer(key, 0, 0, 100)),
            Rewards = RewardSection.Bind(reader.Section("rewards"), maxTokens),
            Alarms = AlarmSection.Bind(reader.Section("alarms")),
        };
        reader.Require(
            section.Steps == 0 || section.ValidationProblems <= problems.Validation, "validation_problems",
            $"more than the {problems.Validation:N0} validation problems", "raise problems.validation, lower this, or set rl.steps to 0");
        reader.Require(
            !(section.RatioCap <= 1 + section.ClipHigh), "ratio_cap", $"not above the clipping bound 1 + clip_high = {1 + section.ClipHigh}",
            "raise it, e.g. to 3, or leave it out");
        SurrogateChoice.Check(reader, section);
        TeacherChoice.Check(reader, section, teacher);
        reader.Close();
        return section;
    }

    internal GroupRelativeOptions ToOptions(ulong seed, int threads) => new()
    {
        Steps = Steps,
        ProblemsPerStep = ProblemsPerStep,
        Samples = Samples,
        UpdatesPerBatch = UpdatesPerBatch ?? 1,
        Temperature = Temperature,
        MaxTokens = MaxTokens,
        ClipLow = ClipLow,
        ClipHigh = ClipHigh,
        RatioCap = RatioCap ?? double.PositiveInfinity,
        Surrogate = this.ToSurrogate(),
        Ratio = this.ToRatio(),
        Aggregation = Aggregation ?? PolicyAggregation.Token,
        Scale = Advantage ?? AdvantageScale.Group,
        ReferenceWeight = ReferenceWeight ?? 0,
        TeacherWeight = TeacherWeight ?? 0,
        CorrectReference = ReferenceCorrection ?? false,
        TopEntropy = this.TopEntropy,
        MaskTruncated = MaskTruncated ?? TeacherWeight is null, // the teacher has an opinion of a truncated completion's tokens too
        ResampleRounds = ResampleRounds ?? 0,
        Alarms = Alarms?.ToAlarms() ?? [],
        EvaluateEvery = EvaluateEvery,
        Seed = seed,
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Decay.Constant,
            WarmupShare = 0.05,
            Precision = (Precision ?? TrainingPrecision.Fp32).ToMatmulPrecision(), // ratios compare with the sampler's fp32 log-probabilities
            RoundingSeed = seed,
            Threads = threads,
        },
    };
}
