using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Student.Reinforcement;

namespace Distill.Pipeline.Handovers;

/// <summary>Reinforcement as TRL's <c>GRPOTrainer</c> has it.</summary>
internal static class TrlReinforcement
{
    private const double WarmupShare = 0.05; // of ReinforcementSection, which has no option for it

    public static OptionMap Of(HandedTraining training)
    {
        var section = training.Recipe.Rl;
        var map = new OptionMap { Section = "rl" };
        int steps = section.Steps * section.UpdatesPerBatch;
        map.Same("steps", section.Steps, "config.max_steps", steps, section.UpdatesPerBatch == 1 ? "" : "there every update is a step");
        map.Same("problems_per_step", section.ProblemsPerStep, "batch", section.ProblemsPerStep * section.Samples, "completions of a step");
        map.Same("samples", section.Samples, "config.num_generations");
        map.Same("updates_per_batch", section.UpdatesPerBatch, "config.num_iterations");
        map.Same("max_tokens", section.MaxTokens, "config.max_completion_length");
        Sampling(map, section);
        Loss(map, section);
        Advantages(map, section);
        TrlOptions.Optimizer(map, section.LearningRate, weightDecay: null, section.Precision);
        map.Fixed("config.lr_scheduler_type", "constant_with_warmup", "");
        map.Fixed("config.warmup_steps", (int)Math.Ceiling(WarmupShare * steps), "5 % of the steps; begins with a rate of 0");
        TrlOptions.Seeds(map, section.Seed);
        TrlOptions.Checkpoints(map, section.EvaluateEvery * section.UpdatesPerBatch);
        if (section.Alarms is { } alarms) map.Near("alarms.action", alarms.Action, null, null, "nobody watches there");
        if (section.TeacherWeight is { } teacher) map.Missing("teacher_weight", teacher, "null");
        if (section.TeacherDivergence != TeacherDivergence.Token) map.Missing("teacher_divergence", section.TeacherDivergence, "token");
        Rewards(map, training);
        var style = training.Student.Encoder.Style;
        map.Fixed("config.chat_template_kwargs", new JsonObject(style.TemplateOptions
            .Select(pair => KeyValuePair.Create(pair.Key, JsonNode.Parse(pair.Value.GetRawText())))), "prompt.template_options");
        map.Fixed("lora", null, "adapters belong to sft");
        map.Fixed("patience", 0, "");
        return map;
    }

    /// <summary>What <c>answers.py</c> is told, for whichever trainer calls it.</summary>
    public static void Rewards(OptionMap map, HandedTraining training)
    {
        var section = training.Recipe.Rl;
        var rewards = section.Rewards ?? new RewardSection { LengthMargin = Math.Max(1, section.MaxTokens / 5) };
        map.Same("rewards.verdict", rewards.Verdict, "rewards.verdict");
        map.Same("rewards.format", rewards.Format, "rewards.format");
        map.Same("rewards.length", rewards.Length, "rewards.length");
        map.Same("rewards.length_margin", rewards.LengthMargin, "rewards.length_margin");
        map.Same("rewards.repetition", rewards.Repetition ?? 0, "rewards.repetition");
        map.Same("rewards.repetition_length", rewards.RepetitionLength, "rewards.repetition_length");
        map.Same("rewards.skip_undecidable", rewards.SkipUndecidable, "rewards.skip_undecidable");
        map.Fixed("rewards.max_tokens", section.MaxTokens, "");
        map.Fixed("rewards.end_tokens", new JsonArray([.. training.Student.Encoder.EndTokens.Select(id => (JsonNode?)id)]), "");
    }

    private static void Sampling(OptionMap map, ReinforcementSection section)
    {
        if (section.Temperature == 1) map.Same("temperature", section.Temperature, "config.temperature");
        else
            map.Near("temperature", section.Temperature, "config.temperature", section.Temperature,
                "log-probabilities are those at this temperature there, of the unscaled distribution here");
        map.Fixed("config.top_p", 1.0, "");
        map.Fixed("config.top_k", 0, "");
        map.Fixed("config.use_vllm", false, "true is faster, and puts the sampler's rounding into every ratio");
        if (section.ResampleRounds > 0) map.Missing("resample_rounds", section.ResampleRounds, "0");
        if (section.WeightAverage is { } decay) map.Missing("weight_average", decay, "null");
        if (section.Edge is { } edge) map.Missing("edge", edge.Samples, "null");
    }

    private static void Loss(OptionMap map, ReinforcementSection section)
    {
        if (LossOf(section) is { } loss)
            map.Same("aggregation", section.Aggregation, "config.loss_type", loss, $"surrogate {Spelled(section.Surrogate)}");
        else
            map.Missing("aggregation", section.Aggregation,
                $"{AggregationOf(section.Surrogate)}, the only one that the surrogate {Spelled(section.Surrogate)} has there");
        if (section.Ratio != RatioLevel.Product || section.Surrogate == SurrogateKind.Vespo)
            map.Same(
                "ratio", section.Ratio, "config.importance_sampling_level", section.Ratio == RatioLevel.Sequence ? "sequence" : "token",
                section.Surrogate == SurrogateKind.Vespo ? "vespo multiplies the tokens' ratios itself" : "");
        else map.Missing("ratio", section.Ratio, "sequence or token");
        Bounds(map, section);
        map.Same("reference_weight", section.ReferenceWeight, "config.beta", note: "k3 estimate against the starting weights");
        map.Same("reference_correction", section.ReferenceCorrection, "config.use_bias_correction_kl");
        map.Same("top_entropy", section.TopEntropy, "config.top_entropy_quantile", section.TopEntropy ?? 1.0);
        map.Same("mask_truncated", section.MaskTruncated, "config.mask_truncated_completions");
    }

    private static void Bounds(OptionMap map, ReinforcementSection section)
    {
        switch (section.Surrogate)
        {
            case SurrogateKind.Clipped:
                map.Same("clip_low", section.ClipLow, "config.epsilon");
                map.Same("clip_high", section.ClipHigh, "config.epsilon_high");
                map.Same("ratio_cap", section.RatioCap, "config.delta");
                break;
            case SurrogateKind.Capped:
                map.Same("weight_cap", section.WeightCap, "config.epsilon_high", note: "cispo's largest weight");
                break;
            case SurrogateKind.Sapo:
                map.Same("gate_positive", section.GatePositive, "config.sapo_temperature_pos");
                map.Same("gate_negative", section.GateNegative, "config.sapo_temperature_neg");
                break;
            case SurrogateKind.Vespo:
                break; // the paper's constants, there as here
            default:
                throw new InvalidOperationException($"Unknown surrogate {section.Surrogate}.");
        }
    }

    private static void Advantages(OptionMap map, ReinforcementSection section)
    {
        if (section.Advantage is AdvantageScale.Group or AdvantageScale.Batch or AdvantageScale.None)
            map.Same("advantage", section.Advantage, "config.scale_rewards", section.Advantage);
        else map.Missing("advantage", section.Advantage, "group, batch or none");
    }

    /// <returns>Null where no loss of the other trainer is this one.</returns>
    private static string? LossOf(ReinforcementSection section) => (section.Surrogate, section.Aggregation) switch
    {
        (SurrogateKind.Clipped, PolicyAggregation.Token) => "dapo",
        (SurrogateKind.Clipped, PolicyAggregation.Sequence) => "grpo",
        (SurrogateKind.Clipped, PolicyAggregation.TokenLimit) => "dr_grpo",
        (SurrogateKind.Clipped, PolicyAggregation.SequenceSum) when section.Ratio == RatioLevel.Sequence => "luspo",
        (SurrogateKind.Capped, PolicyAggregation.Token) => "cispo",
        (SurrogateKind.Sapo, PolicyAggregation.Sequence) => "sapo",
        (SurrogateKind.Vespo, PolicyAggregation.Token) => "vespo",
        _ => null,
    };

    private static string AggregationOf(SurrogateKind surrogate) => surrogate switch
    {
        SurrogateKind.Sapo => "sequence",
        SurrogateKind.Clipped => "token, or rl.ratio=sequence beside it",
        _ => "token",
    };

    private static string Spelled(SurrogateKind surrogate) => OptionDeclaration.Spell(surrogate);
}
