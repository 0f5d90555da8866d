using Distill.Student.Reinforcement;

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

    /// <summary>(0, 1], default 0.00015.</summary>
    public double LearningRate { get; init; }

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

    /// <summary>token, or sequence (GSPO): what the probability ratio is taken of. Default token.</summary>
    public RatioLevel? Ratio { get; init; }

    /// <summary>Largest probability ratio that counts, which bounds the importance correction. (1, 1000], default none.</summary>
    public double? RatioCap { get; init; }

    /// <summary>token (DAPO), sequence (GRPO) or token_limit (Dr. GRPO): what the tokens' losses are divided by. Default token.</summary>
    public PolicyAggregation? Aggregation { get; init; }

    /// <summary>group, batch, none (Dr. GRPO) or leave_one_out (RLOO). Default group.</summary>
    public AdvantageScale? Advantage { get; init; }

    /// <summary>Weight of KL to the starting weights, k3 per token. 0..100, default 0.</summary>
    public double? ReferenceWeight { get; init; }

    /// <summary>Whether truncated completions are left out of the loss. Default true.</summary>
    public bool? MaskTruncated { get; init; }

    /// <summary>How often in a step problems are replaced whose completions all earned the same. 0..100, default 0.</summary>
    public int? ResampleRounds { get; init; }

    /// <summary>Null: the verdict alone.</summary>
    public RewardSection? Rewards { get; init; }

    /// <summary>Null: nothing is watched.</summary>
    public AlarmSection? Alarms { get; init; }

    internal static ReinforcementSection Bind(SectionReader reader, ProblemSection problems)
    {
        int available = Math.Max(1, problems.Validation), maxTokens = reader.Integer("max_tokens", 128, 1, 1_000_000);
        var section = new ReinforcementSection
        {
            Steps = reader.Integer("steps", 100, 0, 1_000_000),
            ProblemsPerStep = reader.Integer("problems_per_step", 32, 1, 65_536),
            Samples = reader.Integer("samples", 8, 2, 1024),
            LearningRate = reader.Number("learning_rate", 1.5e-4, 0, 1, above: true),
            ClipLow = reader.Number("clip_low", 0.2, 0, 1, above: true),
            ClipHigh = reader.Number("clip_high", 0.28, 0, 10, above: true),
            Temperature = reader.Number("temperature", 1, 0, 10, above: true),
            MaxTokens = maxTokens,
            EvaluateEvery = reader.Integer("evaluate_every", 10, 1, 1_000_000),
            ValidationProblems = reader.Integer("validation_problems", Math.Min(128, available), 1, 1_000_000),
            Ratio = reader.Optional("ratio", (r, key) => r.Choice(key, RatioLevel.Token)),
            RatioCap = reader.Optional("ratio_cap", (r, key) => r.Number(key, 1000, 1, 1000, above: true)),
            Aggregation = reader.Optional("aggregation", (r, key) => r.Choice(key, PolicyAggregation.Token)),
            Advantage = reader.Optional("advantage", (r, key) => r.Choice(key, AdvantageScale.Group)),
            ReferenceWeight = reader.Optional("reference_weight", (r, key) => r.Number(key, 0, 0, 100)),
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
        reader.Close();
        return section;
    }
}
