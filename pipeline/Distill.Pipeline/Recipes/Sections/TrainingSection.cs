using System.Text.Json.Serialization;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>sft</c>: supervised fine-tuning on the kept traces, loss on the completion only. <c>answer_only</c> is one too.</summary>
internal sealed record TrainingSection : Section, ITrainingSection
{
    [Option("whether there is this student; without `sft`, `preference` and `rl` begin from the base as it is, and `answer_only` is off "
        + "too")]
    public bool Enabled { get; init; } = true;

    [Option("times each example is seen", Minimum = 1, Maximum = 1000)]
    public int Epochs { get; init; } = 2;

    [Option("tokens of one optimiser step, prompts included", Minimum = 16, Maximum = 1 << 24, Unit = "tokens")]
    public int BatchTokens { get; init; } = 4096;

    [Option("longest example; longer ones are left out and counted", Minimum = 16, Maximum = 1 << 20, Unit = "tokens")]
    public int SequenceLength { get; init; } = 256;

    [Option(Recipe.OptimizerMeaning)]
    public OptimizerKind Optimizer { get; init; }

    [Option("peak rate of the optimiser", Minimum = 0, Above = true, Maximum = 1)]
    public double LearningRate { get; init; } = 2e-3;

    [Option("share of the steps over which the rate rises", Minimum = 0, Maximum = 0.9)]
    public double Warmup { get; init; } = 0.03;

    [Option("how the rate falls: `trapezoid` (constant, then to zero over the last 30 %), `polynomial` (a parabola to zero), "
        + "`inverse_square_root` (1/√step after the warm-up, never zero)")]
    public Decay Schedule { get; init; } = Decay.Trapezoid;

    [Option("share of the peak that the rate falls to instead of zero", Minimum = 0, Maximum = 1)]
    public double RateFloor { get; init; }

    [Option("of `trapezoid`: how the rate falls at the end; `square_root` is fast at first")]
    public CoolDown CoolDown { get; init; } = CoolDown.Linear;

    [Option("decoupled, matrices only", Minimum = 0, Maximum = 10)]
    public double WeightDecay { get; init; }

    [Option(Recipe.PrecisionMeaning)]
    public MatmulPrecision Precision { get; init; } = MatmulPrecision.Fp32;

    [Option(Recipe.Tf32Meaning)]
    public bool Tf32 { get; init; }

    [Option(Recipe.ThreadsMeaning, Minimum = 1, Maximum = 256)]
    public int Threads { get; init; } = 2;

    [Option("decay of a moving average of the weights, e.g. 0.99; the average is then the result", Minimum = 0, Maximum = 0.999999,
        Default = "none")]
    public double? WeightAverage { get; init; }

    [Option("what the loss is a mean of: tokens, or sequences, where long examples count no more than short ones")]
    public TokenAverage Average { get; init; } = TokenAverage.Token;

    [Option("weigh each token's loss by its probability, so that tokens the student would never say do not rule the gradient (DFT)")]
    public bool Dft { get; init; }

    [Option("share of the uniform distribution in the target", Minimum = 0, Maximum = 0.9)]
    public double LabelSmoothing { get; init; }

    [Option("weight of (log Σ exp logit)², which keeps the logits' level near 0; usual: 0.0001", Minimum = 0, Maximum = 1)]
    public double ZLoss { get; init; }

    [Option("weight of the predicted entropy, which is rewarded: a penalty for being too sure", Minimum = 0, Maximum = 10)]
    public double EntropyBonus { get; init; }

    [Option(Recipe.OwnSeed + ": order of the examples and what is held out", Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    [Option("looks at held-out data; the weights that did best there are the student", Default = "none: the last weights are")]
    public HeldOutSection? HeldOut { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        yield return Rule.Require(BatchTokens >= SequenceLength, nameof(BatchTokens),
            $"smaller than one example of {SequenceLength:N0} tokens",
            "raise batch_tokens or lower sequence_length", nameof(SequenceLength));
        yield return Rule.Require(Schedule != Decay.InverseSquareRoot || Warmup > 0, nameof(Warmup),
            "inverse_square_root falls by the length of the warm-up", "raise it above 0, e.g. to 0.03", nameof(Schedule));
        yield return Rule.Require(Optimizer != OptimizerKind.Muon || recipe is not DistillationRecipe { Lora: not null }, nameof(Optimizer),
            "adapters are not the matrices of layers", "leave it out, or take lora out");
        yield return Rule.Unused(Schedule != Decay.Trapezoid, nameof(CoolDown), "only trapezoid has a last part of its own",
            "leave it out, or set schedule to trapezoid");
        bool isSoft = recipe is DistillationRecipe { SoftLabels: not null } whole && ReferenceEquals(this, whole.Sft);
        foreach (string name in (string[])[nameof(Average), nameof(Dft), nameof(LabelSmoothing), nameof(ZLoss), nameof(EntropyBonus)])
            yield return Rule.Unused(isSoft, name, "soft labels are a loss of their own", "leave it out, or take soft_labels out");
    }

    public bool IsComparison(DistillationRecipe recipe) => ReferenceEquals(this, recipe.AnswerOnly);

    // Adapters over a base that is kept aside are looked at on the processor.
    public bool ServesStudent(DistillationRecipe recipe) =>
        Enabled && HeldOut?.Measure == HeldOutMeasureKind.Accuracy && recipe.Lora is not { KeepsBaseAside: true };

    // Fine-tuning begins the student's line: whatever would be its start, it starts from the base.
    public IEnumerable<IStage> StagesOf(DistillationRecipe recipe, string start) => !Enabled ? []
        : [IsComparison(recipe) ? SupervisedStage.AnswersOnly(recipe) : SupervisedStage.Steps(recipe)];

    /// <param name="softLabels">Null: hard labels alone.</param>
    /// <param name="lora">Null: the weights themselves are trained.</param>
    internal SupervisedOptions ToOptions(SoftLabelSection? softLabels, LoraSection? lora) => new()
    {
        Epochs = Epochs,
        BatchTokens = BatchTokens,
        Seed = (ulong)Seed,
        WeightAverage = WeightAverage,
        SoftLabels = softLabels is { } soft ? new SoftLabelOptions(soft.ToDivergence(), soft.Weight) : null,
        Loss = ToLoss(),
        HeldOut = HeldOut?.ToOptions(),
        LowRank = lora?.ToOptions(),
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Schedule,
            WarmupShare = Warmup,
            RateFloor = RateFloor,
            CoolDown = CoolDown,
            Optimizer = new AdamWOptions(WeightDecay: WeightDecay, Muon: Optimizer == OptimizerKind.Muon),
            AllowTf32 = Tf32,
            Precision = Precision,
            RoundingSeed = (ulong)Seed,
            Threads = Threads,
            MicroBatchTokens = Math.Max(2048, SequenceLength),
        },
    };

    /// <returns>Null for plain cross-entropy.</returns>
    internal SupervisedLossOptions? ToLoss()
    {
        var loss = new SupervisedLossOptions
        {
            Average = Average,
            Rectified = Dft,
            LabelSmoothing = LabelSmoothing,
            PartitionWeight = ZLoss,
            EntropyBonus = EntropyBonus,
        };
        return loss == new SupervisedLossOptions() ? null : loss;
    }
}

/// <summary>How gradients change weights.</summary>
internal enum OptimizerKind
{
    [JsonStringEnumMemberName("adamw")]
    AdamW,

    Muon,
}

/// <summary>What a look at held-out data measures.</summary>
internal enum HeldOutMeasureKind
{
    /// <summary>Cross-entropy of traces that are not trained on: cheap.</summary>
    Loss,

    /// <summary>Sampled accuracy on validation problems, as reinforcement measures it: exports the model and generates.</summary>
    Accuracy,
}

/// <summary><c>sft.held_out</c>: looks at held-out data during fine-tuning; the weights that did best there are the result.</summary>
internal sealed record HeldOutSection : Section
{
    private const string OfLoss = "only the measure loss has it", OfAccuracy = "only the measure accuracy has it";

    [Option("optimiser steps between two looks; the last step is always looked at", Minimum = 1, Maximum = 1_000_000, Unit = "steps")]
    public int Every { get; init; } = 20;

    [Option("`loss` of traces that are not learned (one forward pass) or `accuracy` on validation problems (exports the model and "
        + "generates)")]
    public HeldOutMeasureKind Measure { get; init; } = HeldOutMeasureKind.Loss;

    [Option("for `loss`: share of the training problems held out with all their traces", Minimum = 0, Above = true, Maximum = 0.5)]
    public double Share { get; init; } = 0.05;

    [Option("for `accuracy`: validation problems asked, four completions each", Minimum = 1, Maximum = 1_000_000)]
    public int Problems { get; init; } = 64;

    [Option("for `accuracy`: longest completion", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int MaxTokens { get; init; } = 192;

    [Option("looks in a row without a better value after which the training ends; 0: never", Minimum = 0, Maximum = 10_000)]
    public int Patience { get; init; }

    [Option("checkpoints of the last looks, kept as `kept/step-...` beside the best one", Minimum = 0, Maximum = 1000)]
    public int Keep { get; init; }

    /// <summary>Share of the training problems that is held out; null: none, validation problems are asked.</summary>
    internal double? LossShare => Measure == HeldOutMeasureKind.Loss ? Share : null;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        bool asks = Measure == HeldOutMeasureKind.Accuracy;
        yield return Rule.Unused(asks, nameof(Share), OfLoss, "leave it out, or set measure to loss");
        yield return Rule.Unused(!asks, nameof(Problems), OfAccuracy, "leave it out, or set measure to accuracy");
        yield return Rule.Unused(!asks, nameof(MaxTokens), OfAccuracy, "leave it out, or set measure to accuracy");
        int validation = (recipe as DistillationRecipe)?.Problems.Validation ?? 0;
        yield return Rule.Require(!asks || Problems <= validation, nameof(Problems), $"more than the {validation:N0} validation problems",
            "raise problems.validation or lower this");
    }

    internal HeldOutOptions ToOptions() => new(Every, Patience);
}
