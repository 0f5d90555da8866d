using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Student.Fused;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Pipeline.Handovers;

/// <summary>
/// Fine-tuning and preference tuning as TRL has them. Names and meanings are those of <c>SFTConfig</c>, <c>DPOConfig</c> and, beneath
/// them, <c>TrainingArguments</c> of transformers.
/// </summary>
internal static class TrlOptions
{
    // A batch that many numbers of processes divide.
    private const int Grain = 8;

    private static readonly string[] PairLosses =
    [
        "sigmoid", "hinge", "ipo", "sigmoid_norm", "robust", "exo_pair", "aot", "aot_unpaired", "nca_pair", "sppo_hard", "apo_zero",
        "apo_down", "bco_pair",
    ];

    public static OptionMap Supervised(HandedTraining training)
    {
        var (recipe, section) = (training.Recipe, training.Recipe.Sft);
        var map = new OptionMap { Section = "sft" };
        int count = training.Examples.Training.Count;
        double tokens = training.Examples.Training.Average(example => (double)example.Tokens.Count);
        int batch = Rounded(section.BatchTokens / tokens, count), steps = section.Epochs * Steps(count, batch);
        map.Same("epochs", section.Epochs, "config.num_train_epochs");
        map.Near("batch_tokens", section.BatchTokens, "batch", batch,
            $"as many examples as have so many tokens on average; {steps:N0} steps in all");
        map.Same("sequence_length", section.SequenceLength, "config.max_length", note: "longer examples are left out already");
        Optimizer(map, section.LearningRate, section.WeightDecay, section.Precision);
        Schedule(map, section.Schedule, section.Warmup, section.LearningRate, steps, section.RateFloor, section.CoolDown);
        Seeds(map, section.Seed);
        map.Same("dft", section.Dft, "config.loss_type", section.Dft ? "dft" : "nll");
        if (section.Average == TokenAverage.Token)
            map.Same("average", section.Average, "config.average_tokens_across_devices", true, "mean over all learned tokens of a step");
        else map.Missing("average", section.Average, "token");
        if (section.Optimizer != OptimizerKind.AdamW) map.Missing("optimizer", section.Optimizer, "adamw");
        if (section.LabelSmoothing > 0) map.Missing("label_smoothing", section.LabelSmoothing, "0");
        if (section.ZLoss > 0) map.Missing("z_loss", section.ZLoss, "0");
        if (section.EntropyBonus > 0) map.Missing("entropy_bonus", section.EntropyBonus, "0");
        if (section.WeightAverage is { } decay) map.Missing("weight_average", decay, "null");
        if (recipe.SoftLabels is not null) map.Missing("soft_labels.weight", recipe.SoftLabels.Weight, "soft_labels=null");
        map.Fixed("config.completion_only_loss", true, "the mask stands in the data");
        map.Fixed("config.packing", false, "examples do not see one another either way; packing changes speed and the number of steps");
        HeldOut(map, section.HeldOut);
        Adapters(map, recipe.Lora);
        return map;
    }

    public static OptionMap Preference(HandedTraining training)
    {
        var section = training.Recipe.Preference!;
        var map = new OptionMap { Section = "preference" };
        int steps = section.Epochs * Steps(training.Pairs.Pairs.Count, section.PairsPerStep);
        var kind = PreferenceLosses.Get(section.Loss);
        if (PairLosses.Contains(section.Loss))
            map.Same("loss", section.Loss, "config.loss_type", new JsonArray(section.Loss),
                section.Loss is "aot" or "aot_unpaired" or "bco_pair" ? "couples the pairs of a device's part of the step only" : "");
        else map.Missing("loss", section.Loss, "sigmoid");
        map.Same("beta", section.Beta, "config.beta");
        if (kind.Parameters.Contains("label_smoothing")) map.Same("label_smoothing", section.LabelSmoothing, "config.label_smoothing");
        map.Same("epochs", section.Epochs, "config.num_train_epochs");
        map.Same("pairs_per_step", section.PairsPerStep, "batch", note: $"{steps:N0} steps in all");
        Optimizer(map, section.LearningRate, section.WeightDecay, section.Precision);
        Schedule(map, section.Schedule, section.Warmup, section.LearningRate, steps, floor: 0, CoolDown.Linear);
        Seeds(map, section.Seed);
        map.Fixed("config.max_length", null, "nothing is cut");
        Checkpoints(map, section.EvaluateEvery);
        map.Fixed("lora", null, "adapters belong to sft");
        map.Fixed("patience", 0, "");
        return map;
    }

    /// <summary>What every training has: the optimiser's constants and its arithmetic.</summary>
    /// <param name="weightDecay">Null where the recipe has no option for it.</param>
    public static void Optimizer(OptionMap map, double rate, double? weightDecay, MatmulPrecision precision)
    {
        var constants = new AdamWOptions();
        const string Matrices = "of matrices only, there as here";
        map.Same("learning_rate", rate, "config.learning_rate");
        if (weightDecay is { } decay) map.Same("weight_decay", decay, "config.weight_decay", note: Matrices);
        else map.Fixed("config.weight_decay", constants.WeightDecay, Matrices);
        map.Same("precision", precision, "config.bf16", precision == MatmulPrecision.Mixed,
            precision == MatmulPrecision.Mixed ? "autocast over fp32 weights" : "");
        map.Fixed("config.fp16", precision == MatmulPrecision.Fp16, "");
        map.Fixed("config.adam_beta1", constants.Beta1, "");
        map.Fixed("config.adam_beta2", constants.Beta2, "");
        map.Fixed("config.adam_epsilon", constants.Epsilon, "");
        map.Fixed("config.max_grad_norm", constants.MaxGradientNorm, "norm of the whole gradient");
        map.Fixed("config.report_to", "none", "nothing is sent anywhere");
        map.Fixed("config.logging_steps", 1, "");
    }

    private static void Schedule(
        OptionMap map, Decay decay, double warmup, double rate, int steps, double floor, CoolDown coolDown)
    {
        var (name, constants) = ScheduleOf(decay, rate, steps, floor, coolDown);
        map.Same("schedule", decay, "config.lr_scheduler_type", name);
        if (decay is not (Decay.Constant or Decay.InverseSquareRoot))
            map.Fixed("config.lr_scheduler_kwargs", constants, "rate_floor, cool_down");
        map.Near("warmup", warmup, "config.warmup_steps", (int)Math.Ceiling(warmup * steps),
            "begins with a rate of 0, here a little above");
    }

    /// <summary>A schedule by transformers' name, with its constants.</summary>
    internal static (string Name, JsonObject Constants) ScheduleOf(Decay decay, double rate, int steps, double floor, CoolDown coolDown) =>
        decay switch
        {
            Decay.Constant => ("constant_with_warmup", new JsonObject()),
            Decay.Linear when floor == 0 => ("linear", []),
            Decay.Linear => ("polynomial", new JsonObject { ["power"] = 1.0, ["lr_end"] = floor * rate }),
            Decay.Cosine when floor == 0 => ("cosine", []),
            Decay.Cosine => ("cosine_with_min_lr", new JsonObject { ["min_lr_rate"] = floor }),
            Decay.Trapezoid => ("warmup_stable_decay", new JsonObject
            {
                ["num_decay_steps"] = (int)Math.Round(steps * new LearningRateSchedule(rate, decay).DecayShare),
                ["decay_type"] = coolDown switch { CoolDown.Linear => "linear", CoolDown.Cosine => "cosine", _ => "1-sqrt" },
                ["min_lr_ratio"] = floor,
            }),
            Decay.Polynomial => ("polynomial", new JsonObject
                { ["power"] = new LearningRateSchedule(rate, decay).Power, ["lr_end"] = floor * rate }),
            Decay.InverseSquareRoot => ("inverse_sqrt", []),
            _ => throw new InvalidOperationException($"Unknown decay {decay}."),
        };

    public static void Seeds(OptionMap map, long seed)
    {
        map.Near("seed", seed, "config.seed", seed % int.MaxValue, "another generator: the order of the data is another one");
        map.Fixed("config.data_seed", seed % int.MaxValue, "");
    }

    /// <summary>What was seen on held-out problems chooses the weights here; there every look is kept for whoever chooses.</summary>
    public static void Checkpoints(OptionMap map, int every)
    {
        if (every == 0)
        {
            map.Fixed("config.save_strategy", "no", "");
            return;
        }

        map.Near("evaluate_every", every, "config.save_steps", every,
            "weights are kept so often, and the last are the result: measure them with 'distill evaluate' to choose others");
        map.Fixed("config.save_strategy", "steps", "");
        map.Fixed("config.save_only_model", true, "");
    }

    private static void HeldOut(OptionMap map, HeldOutSection? section)
    {
        map.Fixed("patience", section?.Patience ?? 0, "");
        if (section is not { Measure: HeldOutMeasureKind.Loss })
        {
            Checkpoints(map, section?.Every ?? 0);
            return;
        }

        map.Same("held_out.share", section.Share, "config.metric_for_best_model", "eval_loss", "the very examples that the run holds out");
        map.Same("held_out.every", section.Every, "config.eval_steps");
        map.Fixed("config.eval_strategy", "steps", "");
        map.Fixed("config.save_strategy", "steps", "");
        map.Fixed("config.save_steps", section.Every, "");
        map.Fixed("config.save_total_limit", Math.Max(1, section.Keep), "");
        map.Fixed("config.load_best_model_at_end", true, "the weights that did best are the result");
        map.Fixed("config.greater_is_better", false, "");
    }

    private static void Adapters(OptionMap map, LoraSection? section)
    {
        if (section is null)
        {
            map.Fixed("lora", null, "the weights themselves are trained");
            return;
        }

        var options = section.ToOptions();
        map.Same("lora.rank", section.Rank, "lora.r");
        map.Same("lora.alpha", section.Alpha, "lora.lora_alpha");
        map.Near("lora.targets", section.Targets, "lora.target_modules", options.Targets, "drawn from another generator at the start");
        map.Same("lora.rank_stabilized", section.RankStabilized, "lora.use_rslora");
        map.Fixed("lora.lora_dropout", 0.0, "");
        map.Fixed("lora.bias", "none", "");
        map.Fixed("lora.task_type", "CAUSAL_LM", "");
        if (section.Frozen != FrozenWeights.Float)
            map.Near("lora.frozen", section.Frozen, null, null, "the base is kept in fp32 there; its memory is the other trainer's matter");
    }

    private static int Steps(int count, int batch) => (count + batch - 1) / batch;

    private static int Rounded(double batch, int count) =>
        batch < Grain ? Math.Max(1, (int)Math.Round(batch)) : Math.Min(count, (int)Math.Round(batch / Grain) * Grain);
}
