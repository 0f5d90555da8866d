using Distill.Pipeline.Graph;
using Distill.Pipeline.Stages.Training;
using Distill.Generation;
using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Fused;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Teacher;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>preference</c>: the student samples training problems and is tuned to prefer its right completions to its wrong
/// ones.</summary>
internal sealed record PreferenceSection : Section, ITrainingSection
{
    private static readonly string[] Constants = [nameof(LabelSmoothing), nameof(Gamma), nameof(DesirableWeight),
        nameof(UndesirableWeight)];

    private static IEnumerable<string> Losses => PreferenceLosses.All.Select(kind => kind.Name);

    [Option("what a pair costs; the table below says what each is", Words = nameof(Losses))]
    public string Loss { get; init; } = "sigmoid";

    [Option("how much rewards count; the smaller, the further the student may move from its start",
        Minimum = 0, Above = true, Maximum = 100, Default = "0.1, simpo 2")]
    public double Beta { get; init; } = 0.1;

    [Option("of `cdpo` and `robust`: share of labels taken to be wrong; of `exo_pair`: probability left to the wrong completion",
        Minimum = 0, Above = true, Maximum = 0.49, Default = "0.1, exo_pair 0.001")]
    public double LabelSmoothing { get; init; } = 0.1;

    [Option("of `simpo`: by how much the right completion's reward should lead", Minimum = 0, Maximum = 100)]
    public double Gamma { get; init; } = 1;

    [Option("of `kto`: weight of right completions", Minimum = 0, Above = true, Maximum = 100)]
    public double DesirableWeight { get; init; } = 1;

    [Option("of `kto`: weight of wrong completions", Minimum = 0, Above = true, Maximum = 100)]
    public double UndesirableWeight { get; init; } = 1;

    [Option("training problems that are sampled, from the first", Minimum = 1, Maximum = 100_000_000, Default = "all",
        From = "problems.train")]
    public int Problems { get; init; }

    [Option("completions drawn for each", Minimum = 2, Maximum = 1024)]
    public int Samples { get; init; } = 8;

    [Option("of the completions", Minimum = 0, Above = true, Maximum = 10)]
    public double Temperature { get; init; } = 1;

    [Option("longest completion; truncated ones are in no pair", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int MaxTokens { get; init; } = 128;

    [Option("pairs made of one problem at most", Minimum = 1, Maximum = 1024)]
    public int PairsPerProblem { get; init; } = 4;

    [Option("times each pair is seen", Minimum = 1, Maximum = 1000)]
    public int Epochs { get; init; } = 1;

    [Option("pairs of one optimiser step; `aot`, `bco_pair`, `kto` and `orpo` couple them", Minimum = 1, Maximum = 65_536)]
    public int PairsPerStep { get; init; } = 32;

    [Option("peak rate of AdamW; above the default, right and wrong completions tend to lose probability together",
        Minimum = 0, Above = true, Maximum = 1)]
    public double LearningRate { get; init; } = 5e-5;

    [Option("share of the steps over which the rate rises", Minimum = 0, Maximum = 0.9)]
    public double Warmup { get; init; } = 0.1;

    [Option("as `sft.schedule`")]
    public Decay Schedule { get; init; } = Decay.Linear;

    [Option("decoupled, matrices only", Minimum = 0, Maximum = 10)]
    public double WeightDecay { get; init; }

    [Option(Recipe.PrecisionMeaning)]
    public MatmulPrecision Precision { get; init; } = MatmulPrecision.Fp32;

    [Option(Recipe.Tf32Meaning)]
    public bool Tf32 { get; init; }

    [Option(Recipe.ThreadsMeaning, Minimum = 1, Maximum = 256, From = "sft.threads")]
    public int Threads { get; init; } = 2;

    [Option("steps between held-out scores, the first before any step; the best weights are the result. 0: no scores, and the last "
        + "weights are",
        Minimum = 0, Maximum = 1_000_000, Unit = "steps")]
    public int EvaluateEvery { get; init; } = 10;

    [Option("problems of each score, each sampled 4 times", Minimum = 1, Maximum = 1_000_000,
        Default = "128, at most `problems.validation`")]
    public int ValidationProblems { get; init; } = 128;

    [Option(Recipe.OwnSeed + ": completions, pairs and their order", Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    private PreferenceLossKind Kind => PreferenceLosses.Get(Loss);

    public override object? DefaultOf(string property, Recipe recipe) => property switch
    {
        nameof(Beta) => Kind.DefaultBeta,
        nameof(LabelSmoothing) => Kind.DefaultLabelSmoothing,
        nameof(ValidationProblems) => Math.Min(128, Math.Max(1, ((DistillationRecipe)recipe).Problems.Validation)),
        _ => null,
    };

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        var problems = ((DistillationRecipe)recipe).Problems;
        foreach (string name in Constants)
        {
            string key = SectionDeclaration.Of(this)[name].Key;
            var having = PreferenceLosses.All.Where(kind => kind.Parameters.Contains(key)).Select(kind => kind.Name);
            yield return Rule.Unused(!Kind.Parameters.Contains(key), name, $"the loss {Loss} has no such constant",
                $"leave it out, or choose {string.Join(" or ", having)}");
        }

        yield return Rule.Require(Problems <= problems.Train, nameof(Problems), $"more than the {problems.Train:N0} training problems",
            "raise problems.train or lower this");
        yield return Rule.Require(EvaluateEvery == 0 || ValidationProblems <= problems.Validation, nameof(ValidationProblems),
            $"more than the {problems.Validation:N0} validation problems",
                "raise problems.validation, lower this, or set preference.evaluate_every to 0");
        yield return Rule.Require(Schedule != Decay.InverseSquareRoot || Warmup > 0, nameof(Warmup),
            "inverse_square_root falls by the length of the warm-up", "raise it above 0, e.g. to 0.1");
    }

    public bool ServesStudent(DistillationRecipe recipe) => EvaluateEvery > 0;

    public IEnumerable<IStage> StagesOf(DistillationRecipe recipe, string start) =>
        [new SamplesStage(recipe, StudentSamples.ForPreferences(recipe, this), start), new PreferenceStage(recipe, this, start)];

    internal PreferenceOptions ToOptions() => new()
    {
        Loss = Loss,
        Constants = new PreferenceLossOptions
        {
            Beta = Beta,
            LabelSmoothing = Kind.Parameters.Contains("label_smoothing") ? LabelSmoothing : 0,
            Gamma = Kind.Parameters.Contains("gamma") ? Gamma : 0,
            DesirableWeight = DesirableWeight,
            UndesirableWeight = UndesirableWeight,
        },
        Epochs = Epochs,
        PairsPerStep = PairsPerStep,
        HeldOut = EvaluateEvery == 0 ? null : new HeldOutOptions(EvaluateEvery),
        Seed = (ulong)Seed,
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Schedule,
            WarmupShare = Warmup,
            Optimizer = new AdamWOptions(WeightDecay: WeightDecay),
            AllowTf32 = Tf32,
            Precision = Precision,
            RoundingSeed = (ulong)Seed,
            Threads = Threads,
        },
    };

    /// <summary>How the completions are drawn that pairs are made of.</summary>
    internal TraceCollectionOptions ToCollectionOptions(ulong seed, string student, string digest) => new()
    {
        Seed = seed,
        Teacher = student,
        TeacherDigest = digest,
        Samples = Samples,
        Sampling = new SamplingOptions { Temperature = Temperature },
        MaxNewTokens = MaxTokens,
        KeepTokens = true,
    };
}
