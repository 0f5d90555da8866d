using Distill.Pipeline.Graph;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Fused;
using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>What a token of a completion costs by its probability ratio.</summary>
internal enum SurrogateKind
{
    /// <summary>The ratio, clipped (PPO).</summary>
    Clipped,

    /// <summary>The log-probability, weighted by the ratio up to a cap (CISPO).</summary>
    Capped,

    /// <summary>A smooth gate of the ratio (SAPO).</summary>
    Sapo,

    /// <summary>The log-probability, weighted smoothly by the ratio of the whole completion (VESPO).</summary>
    Vespo,
}

/// <summary>What becomes of a preflight that does not expect on-policy distillation to help.</summary>
internal enum OnPolicyPreflightMode
{
    /// <summary>It is said, and the run goes on.</summary>
    Warn,

    /// <summary>The run ends before the distillation.</summary>
    Stop,

    /// <summary>There is none.</summary>
    Off,
}

/// <summary><c>rl</c>: GRPO with verifiable rewards from the student trained so far; the best held-out weights are kept.</summary>
internal sealed record ReinforcementSection : Section, ITrainingSection
{
    // Up to so many tokens the teacher's whole distribution costs little beside the passes.
    private const int WholeVocabulary = 4096;

    private static readonly GammaWeight Positive = new(2, 3), Negative = new(3, 2); // VESPO's paper

    // What learns from rewards; the teacher's opinion takes their place.
    private static readonly string[] OfRewards =
    [
        nameof(ClipLow), nameof(ClipHigh), nameof(Surrogate), nameof(WeightCap), nameof(GatePositive), nameof(GateNegative), nameof(Ratio),
            nameof(RatioCap),
        nameof(Aggregation), nameof(Advantage), nameof(ReferenceWeight), nameof(ReferenceCorrection), nameof(TopEntropy),
            nameof(ResampleRounds), nameof(Rewards),
    ];

    /// <summary>What a training that learns from the teacher alone cannot have.</summary>
    internal static IEnumerable<string> KeysOfRewards =>
        OfRewards.Select(property => SectionDeclaration.Of(new ReinforcementSection())[property].Key);

    private static readonly string[] OfTeacher =
        [nameof(TeacherDivergence), nameof(TeacherTop), nameof(TeacherBeta), nameof(Preflight), nameof(PreflightProblems)];

    [Option("policy updates at most; 0 leaves RL out", Minimum = 0, Maximum = 1_000_000, Unit = "steps")]
    public int Steps { get; init; } = 100;

    [Option("problems asked for one update", Minimum = 1, Maximum = 65_536)]
    public int ProblemsPerStep { get; init; } = 32;

    [Option("completions per problem: the group", Minimum = 2, Maximum = 1024)]
    public int Samples { get; init; } = 8;

    [Option("how often the completions of a step are learned from", Minimum = 1, Maximum = 100)]
    public int UpdatesPerBatch { get; init; } = 1;

    [Option("constant after a short warm-up", Minimum = 0, Above = true, Maximum = 1)]
    public double LearningRate { get; init; } = 1.5e-4;

    [Option("arithmetic of an update. In `fp32` trainer and sampler agree to the last digits; `mixed` is faster where bf16 products are, "
        + "and puts a "
        + "rounding error into every ratio")]
    public MatmulPrecision Precision { get; init; } = MatmulPrecision.Fp32;

    [Option("the probability ratio is clipped below 1 − this", Minimum = 0, Above = true, Maximum = 1)]
    public double ClipLow { get; init; } = 0.2;

    [Option("the probability ratio is clipped above 1 + this", Minimum = 0, Above = true, Maximum = 10)]
    public double ClipHigh { get; init; } = 0.28;

    [Option("of the completions", Minimum = 0, Above = true, Maximum = 10)]
    public double Temperature { get; init; } = 1;

    [Option("longest completion", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int MaxTokens { get; init; } = 128;

    [Option("steps between held-out scores, the first before any step. The result are the weights with the best mean of sampled and greedy "
        + "accuracy whose greedy accuracy is not a point below that of the start", Minimum = 1, Maximum = 1_000_000, Unit = "steps")]
    public int EvaluateEvery { get; init; } = 10;

    [Option("problems of each score, each sampled 4 times and answered greedily once", Minimum = 1, Maximum = 1_000_000,
        Default = "128, at most `problems.validation`")]
    public int ValidationProblems { get; init; } = 128;

    [Option("what a token costs: `clipped` (PPO: the ratio, clipped), `capped` (CISPO: its logarithm, weighted by the ratio up to a "
        + "cap), `sapo` "
        + "(a smooth gate of the ratio) or `vespo` (its logarithm, weighted smoothly by the ratio of the whole completion; the paper's "
            + "constants). "
        + "Only `clipped` uses `clip_low`, `clip_high` and `ratio_cap`")]
    public SurrogateKind Surrogate { get; init; } = SurrogateKind.Clipped;

    [Option("for `capped`: largest weight of a token", Minimum = 0, Above = true, Maximum = 1000)]
    public double WeightCap { get; init; } = 5;

    [Option("for `sapo`: how fast the gate closes for better completions", Minimum = 0, Above = true, Maximum = 100)]
    public double GatePositive { get; init; } = 1;

    [Option("for `sapo`: how fast the gate closes for worse completions", Minimum = 0, Above = true, Maximum = 100)]
    public double GateNegative { get; init; } = 1.05;

    [Option("`token`, or one ratio per completion: `sequence` (mean over its tokens, geometric) or `product` (its probability)",
        Default = "token, `vespo`: product")]
    public RatioLevel Ratio { get; init; } = RatioLevel.Token;

    [Option("largest ratio that counts, above 1 + `clip_high`; bounds what a token weighs where sampler and trainer disagree",
        Minimum = 1, Above = true, Maximum = 1000, Default = "none")]
    public double? RatioCap { get; init; }

    [Option("what the losses are divided by: `token` (all tokens of the step), `sequence` (length, then completions), `token_limit` "
        + "(completions × `max_tokens`) or `sequence_sum` (completions)")]
    public PolicyAggregation Aggregation { get; init; } = PolicyAggregation.Token;

    [Option("how rewards are scaled; `leave_one_out_batch` is `leave_one_out` by the step's deviation")]
    public AdvantageScale Advantage { get; init; } = AdvantageScale.Group;

    [Option("weight of KL to the starting weights, estimated per token (k3)", Minimum = 0, Maximum = 100)]
    public double ReferenceWeight { get; init; }

    [Option("weigh that estimate by the token's probability ratio, which makes it one of the student as it is now")]
    public bool ReferenceCorrection { get; init; }

    [Option("learn the teacher's opinion of every token that the student samples, this strongly, in place of rewards",
        Minimum = 0, Above = true, Maximum = 100, Default = "none: rewards")]
    public double? TeacherWeight { get; init; }

    [Option("with `teacher_weight`, how far the student is from the teacher at each place of its completions: `token` (reverse KL, "
        + "estimated by the sampled token), or over the vocabulary `reverse` (KL of the student to the teacher), `forward` (of the "
        + "teacher to the student) or `jensen_shannon`")]
    public TeacherDivergence TeacherDivergence { get; init; }

    [Option("for all but `token`: how many of the teacher's likeliest tokens are told apart at each place; the others are one class",
        Minimum = 1, Maximum = 1_000_000, Default = "all of a vocabulary of at most 4,096, else 64")]
    public int? TeacherTop { get; init; }

    [Option("for `jensen_shannon`: the teacher's share of the mixture that both are compared with",
        Minimum = 0, Above = true, Maximum = 0.999)]
    public double TeacherBeta { get; init; } = 0.5;

    [Option("with `teacher_weight`, what becomes of a preflight that does not expect it to help: `warn`, `stop` the run, or `off` for "
        + "none; see [on-policy.md](on-policy.md)", DecidesResult = false)]
    public OnPolicyPreflightMode Preflight { get; init; }

    [Option("validation problems of the preflight, fewer where there are fewer", Minimum = 2, Maximum = 1_000_000,
        DecidesResult = false)]
    public int PreflightProblems { get; init; } = 64;

    [Option("share of the learned tokens, the most uncertain, that are pushed up or down; costs a forward pass; KL still counts all",
        Minimum = 0, Above = true, Maximum = 1, Default = "all")]
    public double? TopEntropy { get; init; }

    [Option("decay of a moving average of the weights, e.g. 0.9; the average is then what is scored and the result", Minimum = 0,
        Maximum = 0.999999, Default = "none")]
    public double? WeightAverage { get; init; }

    [Option("truncated completions are not learned from", Default = "true, with `teacher_weight` false")]
    public bool MaskTruncated { get; init; } = true;

    [Option("how often in a step problems are replaced whose completions all earned the same; the curve's `stayed_dead` counts those for "
        + "which no other was found", Minimum = 0, Maximum = 100)]
    public int ResampleRounds { get; init; }

    [Option("draw only problems that the student solves sometimes: it answers each before the first step", Default = "off")]
    public EdgeSection? Edge { get; init; }

    [Option(Recipe.Tf32Meaning)]
    public bool Tf32 { get; init; }

    [Option(Recipe.ThreadsMeaning, Minimum = 1, Maximum = 256, From = "sft.threads")]
    public int Threads { get; init; } = 2;

    [Option(Recipe.OwnSeed + ": problems of each step and their completions", Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    [Option("what completions earn besides the verdict", Default = "none: the verdict alone")]
    public RewardSection? Rewards { get; init; }

    [Option("what is watched while the training goes on", Default = "none")]
    public AlarmSection? Alarms { get; init; }

    public override object? DefaultOf(string property, Recipe recipe) => property switch
    {
        nameof(ValidationProblems) => Math.Min(128, Math.Max(1, ((DistillationRecipe)recipe).Problems.Validation)),
        nameof(Ratio) when Surrogate == SurrogateKind.Vespo => RatioLevel.Product,
        nameof(MaskTruncated) => TeacherWeight is null, // the teacher has an opinion of a truncated completion's tokens too
        _ => null,
    };

    public override IEnumerable<Rule> Rules(Recipe recipe) => [.. Values((DistillationRecipe)recipe), .. Unused()];

    private IEnumerable<Rule> Values(DistillationRecipe recipe)
    {
        int validation = recipe.Problems.Validation;
        yield return Rule.Require(Steps == 0 || ValidationProblems <= validation, nameof(ValidationProblems),
            $"more than the {validation:N0} validation problems", "raise problems.validation, lower this, or set rl.steps to 0");
        yield return Rule.Require(!(RatioCap <= 1 + ClipHigh), nameof(RatioCap),
            $"not above the clipping bound 1 + clip_high = {1 + ClipHigh}",
            "raise it, e.g. to 3, or leave it out");
        yield return Rule.Require(Surrogate != SurrogateKind.Vespo || Ratio == RatioLevel.Product, nameof(Ratio),
            "vespo weighs a completion by its whole ratio", "write product, or leave it out");
        yield return Rule.Require(TeacherWeight is null || recipe.Teacher.IsThere, nameof(TeacherWeight),
            "there is no teacher to be asked", "name a model folder in teacher.model beside traces.from, or leave it out");
        yield return Rule.Require(TeacherWeight is null || recipe.Teacher.Remote is null, nameof(TeacherWeight),
            "an endpoint does not tell what it thinks of given tokens", "take a teacher from a model folder, or learn from rewards");
    }

    private IEnumerable<Rule> Unused()
    {
        foreach (string name in OfRewards)
        {
            yield return Rule.Unused(TeacherWeight is not null, name,
                "has no effect beside teacher_weight, which learns from the teacher and not from rewards",
                "leave one of the two out");
        }

        foreach (string name in OfTeacher)
        {
            yield return Rule.Unused(TeacherWeight is null, name, "has no effect without teacher_weight, which learns from a teacher",
                "set rl.teacher_weight, e.g. to 1, or leave it out");
        }

        foreach (string name in (string[])[nameof(TeacherTop), nameof(TeacherBeta)])
        {
            bool isForeign = TeacherDivergence == TeacherDivergence.Token
                || (name == nameof(TeacherBeta) && TeacherDivergence != TeacherDivergence.JensenShannon);
            yield return Rule.Unused(TeacherWeight is not null && isForeign, name,
                $"the divergence {OptionDeclaration.Spell(TeacherDivergence)} has none",
                "leave it out, or set rl.teacher_divergence to jensen_shannon");
        }

        if (TeacherWeight is not null) yield break; // said once
        foreach (var (name, owner) in ((string, SurrogateKind)[])[(nameof(WeightCap), SurrogateKind.Capped),
            (nameof(GatePositive), SurrogateKind.Sapo),
            (nameof(GateNegative), SurrogateKind.Sapo), (nameof(RatioCap), SurrogateKind.Clipped)])
        {
            yield return Rule.Unused(Surrogate != owner, name, $"{OptionDeclaration.Spell(Surrogate)} has no such bound",
                $"leave it out, or set rl.surrogate to {OptionDeclaration.Spell(owner)}");
        }

        yield return Rule.Unused(ReferenceWeight == 0, nameof(ReferenceCorrection), "there is no distance from the reference to correct",
            "set rl.reference_weight, e.g. to 0.001, or leave it out");
    }

    public bool ServesStudent(DistillationRecipe recipe) => Steps > 0;

    public IEnumerable<IStage> StagesOf(DistillationRecipe recipe, string start) =>
        Steps == 0 ? [] :
        [
            .. Edge is { } edge ? [new SamplesStage(recipe, StudentSamples.ForEdge(recipe, this, edge), start)] : Array.Empty<IStage>(),
            .. TeacherWeight is null || Preflight == OnPolicyPreflightMode.Off ? []
                : new IStage[] { new OnPolicyPreflightStage(recipe, start) },
            new ReinforcementStage(recipe, start),
        ];

    internal GroupRelativeOptions ToOptions() => new()
    {
        Steps = Steps,
        ProblemsPerStep = ProblemsPerStep,
        Samples = Samples,
        UpdatesPerBatch = UpdatesPerBatch,
        Temperature = Temperature,
        MaxTokens = MaxTokens,
        ClipLow = ClipLow,
        ClipHigh = ClipHigh,
        RatioCap = RatioCap ?? double.PositiveInfinity,
        Surrogate = ToSurrogate(),
        Ratio = Ratio,
        Aggregation = Aggregation,
        Scale = Advantage,
        ReferenceWeight = ReferenceWeight,
        TeacherWeight = TeacherWeight ?? 0,
        TeacherDivergence = TeacherDivergence,
        TeacherBeta = TeacherBeta,
        CorrectReference = ReferenceCorrection,
        TopEntropy = TopEntropy,
        WeightAverage = WeightAverage,
        MaskTruncated = MaskTruncated,
        ResampleRounds = ResampleRounds,
        Alarms = Alarms?.ToAlarms() ?? [],
        EvaluateEvery = EvaluateEvery,
        Seed = (ulong)Seed,
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Decay.Constant,
            WarmupShare = 0.05,
            AllowTf32 = Tf32,
            Precision = Precision, // ratios compare with the sampler's fp32 log-probabilities
            RoundingSeed = (ulong)Seed,
            Threads = Threads,
        },
    };

    /// <summary>Tokens that the teacher tells of at each place, given a vocabulary of so many.</summary>
    internal int TeacherTopOf(int vocabulary) => Math.Min(vocabulary, TeacherTop ?? (vocabulary <= WholeVocabulary ? vocabulary : 64));

    /// <returns>Null for the clipped one, whose bounds are options of their own.</returns>
    internal IPolicySurrogate? ToSurrogate() => Surrogate switch
    {
        SurrogateKind.Clipped => null,
        SurrogateKind.Capped => new CappedWeightSurrogate(WeightCap),
        SurrogateKind.Sapo => new SoftGateSurrogate(GatePositive, GateNegative),
        SurrogateKind.Vespo => new GammaWeightSurrogate(Positive, Negative),
        _ => throw new InvalidOperationException($"Unknown surrogate {Surrogate}."),
    };
}
