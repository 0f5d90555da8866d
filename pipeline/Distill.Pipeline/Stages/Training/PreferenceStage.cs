using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Student.Model;
using Distill.Student.Preference;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// Preference tuning of the student on its own completions, right against wrong; the weights that did best on validation problems are
/// kept.
/// </summary>
/// <param name="start">Stage or model whose student is tuned.</param>
internal sealed class PreferenceStage(DistillationRecipe recipe, PreferenceSection section, string start) : IStage
{
    public const string StageName = "preference";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "5-preference",
        Kind = "checkpoint",
        Version = 2, // 2: the fused passes round otherwise
        Inputs = [ProblemsStage.Validation, start, StudentSamples.PreferenceStage],
        Options = StageDeclaration.OptionsOf(
            ("preference", section.ToKey(recipe)), ("pairing_version", PreferencePairing.Version),
            ("verifiers", RecipeVerifiers.VersionsOf(recipe)), ("device", recipe.Devices.TrainingKey(recipe)),
            ("passes", TrainedStudent.PassesKey(recipe, section.ToOptions().Training)),
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())), ("added_tokens", StudentStart.KeyOf(recipe, start))),
        Resource = StageResource.Model,
        Student = new StudentDeclaration(StageName, "preferences", "then tuned to prefer right completions", Note: "Preferences"),
    };

    public string Work =>
        $"at most {(long)section.Problems * section.PairsPerProblem:N0} pairs × {section.Epochs} epochs by {section.Loss}";

    /// <summary>Prompts are supposed to be as long as fine-tuning allows.</summary>
    public StageMemory? Memory => TrainingMemoryPrediction.Of(
        recipe.Student.Base, section.ToOptions().Training, recipe.Sft.SequenceLength + section.MaxTokens,
        recipe.Devices.TrainingKey(recipe) is not null);

    public StageLoad Load(Foresight earlier) => new(WorkKind.Training, (long)section.Problems * section.PairsPerProblem * section.Epochs)
    {
        Model = ExternalInputs.Base, Setting = TrainingLoad.SettingOf(section.Precision, section.Threads),
        LikelyTokens = 2 * (earlier.Tokens(StudentSamples.PreferenceStage) ?? section.MaxTokens),
        BytesPerParameter = TrainingLoad.CheckpointBytes, StateBytesPerParameter = TrainingLoad.StateBytes,
    };

    public string? Continuation(string folder) => TrainedStudent.Continuation(folder);

    public string Run(StageContext context)
    {
        var student = StudentStart.Open(context, recipe, start);
        var encoder = student.Encoder;
        using var verifiers = RecipeVerifiers.Open(context, recipe);
        var own = PolicyPairs.Read(
            verifiers,
            context.Input(StudentSamples.PreferenceStage).PathsOf(".parquet"), encoder, student.Architecture.MaxPositions,
            section.PairsPerProblem, (ulong)section.Seed);
        using var parameters = new FlatParameters(student.Architecture, recipe.Devices.TrainingDevice(recipe));
        parameters.Load(student.Weights);
        using var curve = new TrainingCurve(context);
        string made = $"{own.Pairs.Count:N0} pairs of {own.Paired:N0} of {own.Problems:N0} problems "
            + $"({ReportNumbers.Percent(own.Right, own.Completions)} of the completions right)";
        string summary = own.Pairs.Count == 0 ? Unchanged(context, made)
            : Tune(context, verifiers, encoder, parameters, own.Pairs, curve, made);
        curve.Write();
        context.Worked(curve.Done((long)own.Pairs.Count * section.Epochs));
        TrainedStudent.Save(context, parameters, student.Tokenizer);
        return summary;
    }

    // A student that is always right or always wrong is no fault of the run.
    private static string Unchanged(StageContext context, string made)
    {
        context.Warning(
            "No problem was solved in some completions and failed in others, so nothing can be preferred "
            + "and the student stays as it is: raise preference.samples or preference.problems.");
        return $"{made}; student unchanged";
    }

    private string Tune(
        StageContext context, RecipeVerifiers verifiers, ChatEncoder encoder, FlatParameters parameters,
        IReadOnlyList<PreferencePair> pairs,
        TrainingCurve curve, string made)
    {
        using var server = section.ServesStudent(recipe) ? ServedModel.PolicyServer(parameters) : null;
        var heldOut = server is null
            ? null
            : StudentAccuracy.Of(
                context, verifiers, encoder, server, section.ValidationProblems, section.MaxTokens, section.Threads, section.Seed);
        var result = PreferenceTuning.Run(
            parameters, pairs, section.ToOptions(), context.Clock, TrainedStudent.StatePath(context),
            report => Report(context, curve, report, heldOut?.Name),
            context.Cancellation, heldOut, context.Warning);
        // Sources may have fewer.
        int problems = Math.Min(section.ValidationProblems, ProblemsStage.Read(context, ProblemsStage.Validation).Length);
        return made + (result is { Start: { } before, Training.Best: { } best }
            ? $"; sampled accuracy on {problems} validation problems {ReportNumbers.Percent(before.Value, problems)}"
                + $" → {ReportNumbers.Percent(best.Value, problems)} at step {best.Step} of {result.Training.Steps}"
            : $"; {result.Training.Steps} steps");
    }

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
        curve.Add(step.Step, step.Steps, values);
        double rate = step.Tokens / Math.Max(1e-9, step.Seconds);
        context.Measure("trainingTokensPerSecond", rate);
        context.Progress(new StageProgress(step.Step, step.Steps, "steps", $"pairs told apart {metrics.Accuracy:P0}", rate, "tokens/s"));
    }
}

/// <summary>A student's own completions, graded and paired, right with wrong. Immutable.</summary>
/// <param name="Problems">That were sampled.</param>
/// <param name="Paired">Of these, solved sometimes and sometimes not.</param>
/// <param name="Right">Share of right completions.</param>
/// <param name="Completions">All of them.</param>
internal sealed record PolicyPairs(IReadOnlyList<PreferencePair> Pairs, int Problems, int Paired, double Right, int Completions)
{
    /// <param name="files">Traces of the student.</param>
    /// <param name="longest">Tokens that the student reads.</param>
    public static PolicyPairs Read(
        RecipeVerifiers verifiers, IEnumerable<string> files, ChatEncoder encoder, int longest, int perProblem, ulong seed)
    {
        List<Trace> traces = [.. files.SelectMany(TraceFile.Read)];
        verifiers.Prepare(traces.Select(trace => (trace.Problem, trace.Answer)), traces.Count);
        return Of(traces, verifiers.All, encoder, longest, perProblem, seed);
    }

    /// <param name="verifiers">Decide at once: a judge has been asked before.</param>
    /// <inheritdoc cref="Read"/>
    public static PolicyPairs Of(
        IReadOnlyList<Trace> traces, ProblemVerifiers verifiers, ChatEncoder encoder, int longest, int perProblem, ulong seed)
    {
        var graded = TraceCuration.Run(traces, verifiers, new CurationOptions { Rules = ["verdict"] });
        var pairs = PreferencePairing.Of(graded.Traces, perProblem, seed);
        return new PolicyPairs(
            [.. pairs.Select(pair => new PreferencePair(Encode(pair.Chosen), Encode(pair.Rejected)))],
            graded.Traces.Select(trace => trace.Trace.Problem.Id).Distinct().Count(),
            pairs.Select(pair => pair.Chosen.Problem.Id).Distinct().Count(),
            (double)graded.Kept / graded.Traces.Count, graded.Traces.Count);

        // The very tokens that were sampled: what the text would be encoded as again may differ.
        TrainingSequence Encode(Trace trace)
        {
            int[] prompt = ProblemPrompt.Encode(encoder, trace.Problem, longest);
            return new TrainingSequence([.. prompt, .. trace.TokenIds], prompt.Length);
        }
    }
}
