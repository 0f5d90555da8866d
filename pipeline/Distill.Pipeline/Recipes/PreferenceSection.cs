using Distill.Generation;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Teacher;

namespace Distill.Pipeline.Recipes;

/// <summary><c>preference</c>: the fine-tuned student samples the training problems and is tuned to prefer its right completions to its wrong ones.</summary>
public sealed record PreferenceSection
{
    /// <summary>A name of <see cref="PreferenceLosses"/>. Default sigmoid (DPO).</summary>
    public required string Loss { get; init; }

    /// <summary>(0, 100], default 0.1, of simpo 2.</summary>
    public double Beta { get; init; }

    /// <summary>Of cdpo and robust: share of labels taken to be wrong, default 0.1; of exo_pair: probability left to the rejected completion, default 0.001. (0, 0.49]; null for others.</summary>
    public double? LabelSmoothing { get; init; }

    /// <summary>Of simpo: by how much the chosen completion's reward should lead. 0..100, default 1; null for others.</summary>
    public double? Gamma { get; init; }

    /// <summary>Of kto: weight of the chosen completions. (0, 100], default 1; null for others.</summary>
    public double? DesirableWeight { get; init; }

    /// <summary>Of kto: weight of the rejected completions. (0, 100], default 1; null for others.</summary>
    public double? UndesirableWeight { get; init; }

    /// <summary>Training problems that are sampled. 1..problems.train, default all.</summary>
    public int Problems { get; init; }

    /// <summary>Completions drawn for each. 2..1,024, default 8.</summary>
    public int Samples { get; init; }

    /// <summary>Of the completions. (0, 10], default 1.</summary>
    public double Temperature { get; init; }

    /// <summary>Longest completion; truncated ones are in no pair. 1..1,000,000, default 128.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Pairs made of one problem at most. 1..1,024, default 4.</summary>
    public int PairsPerProblem { get; init; }

    /// <summary>Times each pair is seen. 1..1,000, default 1.</summary>
    public int Epochs { get; init; }

    /// <summary>Pairs of one optimiser step. 1..65,536, default 32.</summary>
    public int PairsPerStep { get; init; }

    /// <summary>Peak learning rate of AdamW. (0, 1], default 0.00005.</summary>
    public double LearningRate { get; init; }

    /// <summary>Share of the steps over which the rate rises from zero. 0..0.9, default 0.1.</summary>
    public double Warmup { get; init; }

    /// <summary>constant, linear, cosine or trapezoid. Default linear.</summary>
    public ScheduleKind Schedule { get; init; }

    /// <summary>Decoupled weight decay of the matrices. 0..10, default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>fp32, mixed or fp16. Default fp32.</summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Training threads, part of the result. 1..256, default those of sft.</summary>
    public int Threads { get; init; }

    /// <summary>Steps between held-out scores, the first before any; the best weights are the result. 0..1,000,000, default 10; 0: none, and the last weights are.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Validation problems of each held-out score. 1..problems.validation, default the smaller of 128 and that.</summary>
    public int ValidationProblems { get; init; }

    /// <returns>Null when the recipe has no such section: the student is not tuned by preferences.</returns>
    internal static PreferenceSection? Bind(SectionReader reader, ProblemSection problems, TrainingSection sft)
    {
        if (!reader.IsPresent) return null;
        var kind = PreferenceLossWords.Read(reader);
        var section = new PreferenceSection
        {
            Loss = kind.Name,
            Beta = reader.Number("beta", kind.DefaultBeta, 0, 100, above: true),
            LabelSmoothing = PreferenceLossWords.Constant(reader, kind, "label_smoothing", (r, key) => r.Number(key, kind.DefaultLabelSmoothing, 0, 0.49, above: true)),
            Gamma = PreferenceLossWords.Constant(reader, kind, "gamma", (r, key) => r.Number(key, 1, 0, 100)),
            DesirableWeight = PreferenceLossWords.Constant(reader, kind, "desirable_weight", (r, key) => r.Number(key, 1, 0, 100, above: true)),
            UndesirableWeight = PreferenceLossWords.Constant(reader, kind, "undesirable_weight", (r, key) => r.Number(key, 1, 0, 100, above: true)),
            Problems = reader.Integer("problems", problems.Train, 1, 100_000_000),
            Samples = reader.Integer("samples", 8, 2, 1024),
            Temperature = reader.Number("temperature", 1, 0, 10, above: true),
            MaxTokens = reader.Integer("max_tokens", 128, 1, 1_000_000),
            PairsPerProblem = reader.Integer("pairs_per_problem", 4, 1, 1024),
            Epochs = reader.Integer("epochs", 1, 1, 1000),
            PairsPerStep = reader.Integer("pairs_per_step", 32, 1, 65_536),
            LearningRate = reader.Number("learning_rate", 5e-5, 0, 1, above: true),
            Warmup = reader.Number("warmup", 0.1, 0, 0.9),
            Schedule = reader.Choice("schedule", ScheduleKind.Linear),
            WeightDecay = reader.Number("weight_decay", 0, 0, 10),
            Precision = reader.Choice("precision", TrainingPrecision.Fp32),
            Threads = reader.Integer("threads", sft.Threads, 1, 256),
            EvaluateEvery = reader.Integer("evaluate_every", 10, 0, 1_000_000),
            ValidationProblems = reader.Integer("validation_problems", Math.Min(128, Math.Max(1, problems.Validation)), 1, 1_000_000),
        };
        reader.Require(section.Problems <= problems.Train, "problems", $"more than the {problems.Train:N0} training problems", "raise problems.train or lower this");
        reader.Require(
            section.EvaluateEvery == 0 || section.ValidationProblems <= problems.Validation, "validation_problems",
            $"more than the {problems.Validation:N0} validation problems", "raise problems.validation, lower this, or set preference.evaluate_every to 0");
        reader.Close();
        return section;
    }

    internal PreferenceOptions ToOptions(ulong seed) => new()
    {
        Loss = Loss,
        Constants = new PreferenceLossOptions
        {
            Beta = Beta,
            LabelSmoothing = LabelSmoothing ?? 0,
            Gamma = Gamma ?? 0,
            DesirableWeight = DesirableWeight ?? 1,
            UndesirableWeight = UndesirableWeight ?? 1,
        },
        Epochs = Epochs,
        PairsPerStep = PairsPerStep,
        HeldOut = EvaluateEvery == 0 ? null : new HeldOutOptions(EvaluateEvery),
        Seed = seed,
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
