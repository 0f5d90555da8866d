using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Curation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Student.Model;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>Preference tuning of the SFT student on its own completions, right against wrong; the weights that did best on validation problems are kept.</summary>
internal sealed class PreferenceStage(DistillationRecipe recipe, PreferenceSection section) : IStage
{
    private const string StateName = "state.safetensors";

    public string Name => StageNames.Preference;

    public string Folder => "5-preference";

    public string Kind => "checkpoint";

    public int Version => 1;

    public IReadOnlyList<string> Inputs => [StageNames.Problems, StageNames.Sft, StageNames.Samples];

    public JsonObject Options => new()
    {
        ["preference"] = CanonicalJson.ToNode(section),
        ["seed"] = recipe.Seed,
        ["pairing_version"] = PreferencePairing.Version,
        ["verifiers"] = VerifierVersions.Of(recipe),
    };

    public string Work =>
        $"at most {(long)section.Problems * section.PairsPerProblem:N0} pairs × {section.Epochs} epochs by {section.Loss}";

    /// <summary>Prompts are supposed to be as long as fine-tuning allows.</summary>
    public long? MemoryBytes => TrainingMemoryEstimate.Of(recipe.Student.Base, OptionsOf().Training, recipe.Sft.SequenceLength + section.MaxTokens);

    public string Run(StageContext context)
    {
        var start = Checkpoint.Open(Path.Combine(context.Input(StageNames.Sft).Folder, SupervisedStage.CheckpointFolder));
        var encoder = ChatEncoder.Load(start.Folder);
        var own = PolicyPairs.Read(
            context.Input(StageNames.Samples).PathsOf(".parquet"), encoder, start.Architecture.MaxPositions, section.PairsPerProblem, (ulong)recipe.Seed);
        using var parameters = new FlatParameters(start.Architecture);
        parameters.Load(start.LoadWeights());
        using var curve = new TrainingCurve(context);
        string made = $"{own.Pairs.Count:N0} pairs of {own.Paired:N0} of {own.Problems:N0} problems ({ReportNumbers.Percent(own.Right, own.Completions)} of the completions right)";
        string summary = own.Pairs.Count == 0 ? Unchanged(context, made) : Tune(context, encoder, parameters, own.Pairs, curve, made);
        curve.Write();
        Checkpoint.Save(Path.Combine(context.Folder, SupervisedStage.CheckpointFolder), parameters.ToWeightSet(), start.Tokenizer);
        context.AddFolder(SupervisedStage.CheckpointFolder);
        return summary;
    }

    // A student that is always right or always wrong is no fault of the run.
    private static string Unchanged(StageContext context, string made)
    {
        context.Warning("No problem was solved in some completions and failed in others, so nothing can be preferred and the student stays as it is: raise preference.samples or preference.problems.");
        return $"{made}; student unchanged";
    }

    private string Tune(StageContext context, ChatEncoder encoder, FlatParameters parameters, IReadOnlyList<PreferencePair> pairs, TrainingCurve curve, string made)
    {
        using var server = Engine.PolicyServer(parameters.Architecture);
        var heldOut = section.EvaluateEvery == 0
            ? null : SampledAccuracy.Of(context, encoder, server, section.ValidationProblems, section.MaxTokens, section.Threads, recipe.Seed);
        var result = PreferenceTuning.Run(
            parameters, pairs, OptionsOf(), context.Clock, Path.Combine(context.Folder, StateName), report => Report(context, curve, report, heldOut?.Name), context.Cancellation,
            heldOut, context.Warning);
        int problems = section.ValidationProblems;
        return made + (result is { Start: { } before, Training.Best: { } best }
            ? $"; sampled accuracy on {problems} validation problems {ReportNumbers.Percent(before.Value, problems)} → {ReportNumbers.Percent(best.Value, problems)} at step {best.Step} of {result.Training.Steps}"
            : $"; {result.Training.Steps} steps");
    }

    private PreferenceOptions OptionsOf() => new()
    {
        Loss = section.Loss,
        Constants = new PreferenceLossOptions
        {
            Beta = section.Beta,
            LabelSmoothing = section.LabelSmoothing ?? 0,
            Gamma = section.Gamma ?? 0,
            DesirableWeight = section.DesirableWeight ?? 1,
            UndesirableWeight = section.UndesirableWeight ?? 1,
        },
        Epochs = section.Epochs,
        PairsPerStep = section.PairsPerStep,
        HeldOut = section.EvaluateEvery == 0 ? null : new HeldOutOptions(section.EvaluateEvery),
        Seed = (ulong)recipe.Seed,
        Training = new TrainingOptions
        {
            LearningRate = section.LearningRate,
            Decay = section.Schedule.ToDecay(),
            WarmupShare = section.Warmup,
            Optimizer = new AdamWOptions(WeightDecay: section.WeightDecay),
            Precision = section.Precision.ToMatmulPrecision(),
            RoundingSeed = (ulong)recipe.Seed,
            Threads = section.Threads,
        },
    };

    private static void Report(StageContext context, TrainingCurve curve, PreferenceStepReport report, string? heldOut)
    {
        var (step, metrics) = (report.Step, report.Metrics);
        var values = new Dictionary<string, double>
        {
            ["loss"] = step.Loss,
            ["reward_chosen"] = metrics.Chosen,
            ["reward_rejected"] = metrics.Rejected,
            ["reward_margin"] = metrics.Margin,
            ["pair_accuracy"] = metrics.Accuracy,
            ["gradient_norm"] = step.GradientNorm,
            ["learning_rate"] = step.LearningRate,
            ["entropy"] = step.Entropy,
            ["tokens"] = step.Tokens,
        };
        if (heldOut is not null && step.HeldOut is { } looked) values[heldOut] = looked;
        curve.Add(step.Step, values);
        double rate = step.Tokens / Math.Max(1e-9, step.Seconds);
        context.Measure("trainingTokensPerSecond", rate);
        context.Progress(new StageProgress(step.Step, step.Steps, "steps", $"pairs told apart {metrics.Accuracy:P0}", rate, "tokens/s"));
    }
}
