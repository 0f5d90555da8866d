using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Student.Fused;
using Distill.Student.Reinforcement;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Pipeline.Handovers;

/// <summary>Fine-tuning and reinforcement as prime-rl has them: paths are those of its <c>sft.toml</c> and <c>rl.toml</c>.</summary>
internal static class PrimeOptions
{
    private const double WarmupShare = 0.05; // of ReinforcementSection, which has no option for it

    public static OptionMap Supervised(HandedTraining training)
    {
        var (recipe, section) = (training.Recipe, training.Recipe.Sft);
        var map = new OptionMap { Section = "sft" };
        int batch = Math.Max(1, (int)Math.Round((double)section.BatchTokens / section.SequenceLength));
        long tokens = training.Examples.Training.Sum(example => (long)example.Tokens.Count);
        int steps = Math.Max(1, (int)Math.Round((double)section.Epochs * tokens / ((long)batch * section.SequenceLength)));
        map.Near("epochs", section.Epochs, "max_steps", steps, "as many steps as the data fills, where nothing is lost in packing");
        map.Near("batch_tokens", section.BatchTokens, "data.batch_size", batch, "rows of sequence_length tokens, packed");
        map.Near("sequence_length", section.SequenceLength, "data.seq_len", section.SequenceLength,
            "of a packed row, which holds whole examples one after another");
        Optimizer(map, "", section.LearningRate, section.WeightDecay, section.Precision);
        Schedule(map, section, steps);
        map.Near("seed", section.Seed, "data.seed", section.Seed % int.MaxValue, "another generator: the order of the data is another one");
        if (section.Average != TokenAverage.Token) map.Missing("average", section.Average, "token");
        if (section.Dft) map.Missing("dft", true, "false");
        if (section.Optimizer != OptimizerKind.AdamW) map.Missing("optimizer", section.Optimizer, "adamw");
        if (section.LabelSmoothing > 0) map.Missing("label_smoothing", section.LabelSmoothing, "0");
        if (section.ZLoss > 0) map.Missing("z_loss", section.ZLoss, "0");
        if (section.EntropyBonus > 0) map.Missing("entropy_bonus", section.EntropyBonus, "0");
        if (section.WeightAverage is { } decay) map.Missing("weight_average", decay, "null");
        if (recipe.SoftLabels is not null) map.Missing("soft_labels.weight", recipe.SoftLabels.Weight, "soft_labels=null");
        if (section.HeldOut is { } looks)
            map.Near("held_out.every", looks.Every, "ckpt.interval", looks.Every, "weights are kept so often, nothing is measured there");
        map.Fixed("data.loss_mask.assistant", true, "completions alone are learned");
        Model(map, "");
        map.Fixed("renderer.name", "default", "the checkpoint's own chat template");
        Adapters(map, recipe.Lora);
        return map;
    }

    public static OptionMap Reinforcement(HandedTraining training)
    {
        var section = training.Recipe.Rl;
        var map = new OptionMap { Section = "rl" };
        map.Same("steps", section.Steps, "max_steps");
        map.Same("problems_per_step", section.ProblemsPerStep, "orchestrator.batch_size", section.ProblemsPerStep * section.Samples,
            "completions of a step");
        map.Same("samples", section.Samples, "orchestrator.group_size");
        map.Same("max_tokens", section.MaxTokens, "orchestrator.train.sampling.max_completion_tokens");
        if (section.Temperature == 1) map.Same("temperature", section.Temperature, "orchestrator.train.sampling.temperature");
        else map.Missing("temperature", section.Temperature, "1");
        int longest = training.Problems().Max(problem => training.Student.Encoder
            .EncodePrompt(Teacher.ProblemPrompt.Messages(problem)).Length) + section.MaxTokens;
        map.Fixed("seq_len", longest, "longest prompt and completion");
        Loss(map, section);
        Optimizer(map, "trainer.", section.LearningRate, null, section.Precision);
        map.Near("", null, "trainer.scheduler.type", "linear", "constant after a warm-up of 5 %");
        map.Fixed("trainer.scheduler.warmup_steps", Math.Max(1, (int)Math.Ceiling(WarmupShare * section.Steps)), "");
        map.Fixed("trainer.scheduler.decay_steps", 0, "");
        map.Near("seed", section.Seed, null, null, "completions are drawn by vLLM, in an order that no seed fixes");
        map.Near("evaluate_every", section.EvaluateEvery, "ckpt.interval", section.EvaluateEvery,
            "weights are kept so often, and the last are the result: measure them with 'distill evaluate' to choose others");
        map.Near("", null, "orchestrator.max_off_policy_steps", 1,
            "completions are made while it trains, by weights that are one step old; here by those that are trained");
        TrlReinforcement.Rewards(map, training);
        if (section.Rewards?.Repetition is { } repetition) map.Missing("rewards.repetition", repetition, "null");
        if (section.Alarms is { } alarms) map.Near("alarms.action", alarms.Action, null, null, "nobody watches there");
        Model(map, "");
        map.Fixed("orchestrator.renderer.name", "default", "the checkpoint's own chat template");
        map.Fixed("deployment.num_train_gpus", 1, "of a machine with two; raise both");
        map.Fixed("deployment.num_infer_gpus", 1, "");
        return map;
    }

    private static void Loss(OptionMap map, ReinforcementSection section)
    {
        if (section.Surrogate != SurrogateKind.Clipped) map.Missing("surrogate", section.Surrogate, "clipped");
        if (section.Ratio != RatioLevel.Token) map.Missing("ratio", section.Ratio, "token");
        map.Same("aggregation", section.Aggregation, "trainer.loss.type", "custom", "the sum is divided by the tokens of the whole step");
        if (section.Aggregation != PolicyAggregation.Token) map.Missing("aggregation", section.Aggregation, "token");
        map.Fixed("trainer.loss.import_path", "distill_handover.loss.clipped", "environment/distill_handover/loss.py");
        map.Same("clip_low", section.ClipLow, "trainer.loss.kwargs.clip_low");
        map.Same("clip_high", section.ClipHigh, "trainer.loss.kwargs.clip_high");
        if (section.RatioCap is { } cap) map.Same("ratio_cap", cap, "trainer.loss.kwargs.ratio_cap");
        map.Same("advantage", section.Advantage, "orchestrator.algo.type", "grpo", "reward minus the group's mean");
        if (section.Advantage != AdvantageScale.None) map.Missing("advantage", section.Advantage, "none");
        map.Fixed("orchestrator.train.filter_zero_advantages", false,
            "tokens of groups without a difference count among the step's, as here");
        if (section.WeightAverage is { } decay) map.Missing("weight_average", decay, "null");
        if (section.Edge is { } edge) map.Missing("edge", edge.Samples, "null");
        if (section.UpdatesPerBatch > 1) map.Missing("updates_per_batch", section.UpdatesPerBatch, "1");
        if (section.MaskTruncated) map.Missing("mask_truncated", true, "false");
        if (section.ReferenceWeight > 0) map.Missing("reference_weight", section.ReferenceWeight, "0");
        if (section.TopEntropy is { } share) map.Missing("top_entropy", share, "null");
        if (section.ResampleRounds > 0) map.Missing("resample_rounds", section.ResampleRounds, "0");
        if (section.TeacherWeight is { } teacher) map.Missing("teacher_weight", teacher, "null");
        if (section.TeacherDivergence != TeacherDivergence.Token) map.Missing("teacher_divergence", section.TeacherDivergence, "token");
    }

    private static void Model(OptionMap map, string part)
    {
        map.Fixed($"{part}model.name", "checkpoint", "");
        map.Fixed("ckpt.keep_last", 3, "");
        map.Fixed("output_dir", "trained", "");
    }

    private static void Optimizer(OptionMap map, string part, double rate, double? weightDecay, MatmulPrecision precision)
    {
        var constants = new AdamWOptions();
        map.Same("learning_rate", rate, $"{part}optim.lr");
        map.Near(weightDecay is null ? "" : "weight_decay", weightDecay, $"{part}optim.weight_decay", weightDecay ?? constants.WeightDecay,
            "there of all weights, here of matrices only");
        map.Near("precision", precision, $"{part}model.optimization_dtype", "float32",
            "products in bf16 over fp32 weights, whatever this says");
        map.Fixed($"{part}optim.betas1", constants.Beta1, "");
        map.Fixed($"{part}optim.betas2", constants.Beta2, "");
        map.Fixed($"{part}optim.max_norm", constants.MaxGradientNorm, "norm of the whole gradient");
    }

    private static void Schedule(OptionMap map, TrainingSection section, int steps)
    {
        int warmup = (int)Math.Ceiling(section.Warmup * steps);
        int decay = section.Schedule switch
        {
            Decay.Linear => steps - warmup,
            Decay.Trapezoid => Math.Min(steps - warmup, (int)Math.Round(0.3 * steps)),
            _ => 0,
        };
        bool isCosine = section.Schedule == Decay.Cosine, isLinear = section.Schedule is Decay.Linear or Decay.Trapezoid or Decay.Constant;
        if (!isCosine && !isLinear) map.Missing("schedule", section.Schedule, "trapezoid, linear or cosine");
        else
        {
            map.Same("schedule", section.Schedule, "scheduler.type", isCosine ? "cosine" : "linear");
            map.Near("warmup", section.Warmup, "scheduler.warmup_steps", warmup, "begins with a rate of 0, here a little above");
            if (isLinear) map.Fixed("scheduler.decay_steps", decay, "");
            map.Same("rate_floor", section.RateFloor, "scheduler.min_lr", section.RateFloor * section.LearningRate);
        }

        if (section is { Schedule: Decay.Trapezoid, CoolDown: not CoolDown.Linear })
            map.Missing("cool_down", OptionDeclaration.Spell(section.CoolDown), "linear");
    }

    private static void Adapters(OptionMap map, LoraSection? section)
    {
        if (section is null) return;
        map.Same("lora.rank", section.Rank, "model.lora.rank");
        map.Near("lora.targets", section.Targets, "model.lora.target_modules", section.ToOptions().Targets,
            "drawn from another generator at the start");
        if (section.RankStabilized)
            map.Same("lora.rank_stabilized", true, "model.lora.alpha", section.Alpha * Math.Sqrt(section.Rank), "alpha × √rank");
        else map.Same("lora.alpha", section.Alpha, "model.lora.alpha");
    }
}
