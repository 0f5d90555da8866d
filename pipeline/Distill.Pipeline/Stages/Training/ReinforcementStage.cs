using Distill.Data.Problems;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// GRPO with verifiable rewards from the student trained so far, on the training problems or on those kept for it; the weights that did
/// best on validation problems, sampled and greedy, are kept.
/// </summary>
internal sealed class ReinforcementStage(DistillationRecipe recipe, string start) : IStage
{
    public const string StageName = "rl";

    // Raised when the teacher's log-probabilities come out otherwise, by rounding too.
    private const int TeacherScoringVersion = 2;

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "5-rl",
        Kind = "checkpoint",
        Version = 5, // 4: greedy accuracy counts in the choice of the weights; 5: the fused passes round otherwise
        Inputs =
        [
            ProblemsStage.OfReinforcement(recipe), ProblemsStage.Validation, start,
            .. recipe.Rl.TeacherWeight is null ? Array.Empty<string>() : [ExternalInputs.Teacher],
            .. recipe.Rl.Edge is null ? Array.Empty<string>() : [StudentSamples.EdgeStage],
        ],
        Options = StageDeclaration.OptionsOf(
            ("rl", recipe.Rl.ToKey(recipe)), ("verifiers", RecipeVerifiers.VersionsOf(recipe)),
            ("device", recipe.Devices.TrainingKey(recipe)),
            ("teacher_device", recipe.Rl.TeacherWeight is null ? null : recipe.Devices.TeacherKey(recipe)),
            ("teacher_scoring", recipe.Rl.TeacherWeight is null ? null : TeacherScoringVersion),
            ("passes", TrainedStudent.PassesKey(recipe, recipe.Rl.ToOptions().Training)),
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())), ("added_tokens", StudentStart.KeyOf(recipe, start))),
        Resource = StageResource.Model,
        Student = new StudentDeclaration(StageName, "RL", "then rewarded for right answers", Note: "Reinforcement"),
    };

    public string Work => $"at most {recipe.Rl.Steps:N0} updates of {recipe.Rl.ProblemsPerStep} problems × {recipe.Rl.Samples} samples";

    /// <summary>
    /// Of the base before any cut, prompts of up to 256 tokens supposed; null when it cannot be read, which running will say.
    /// </summary>
    public StageMemory? Memory
    {
        get
        {
            var options = recipe.Rl.ToOptions();
            int longest = ModelMemory.UsualPrompt + options.MaxTokens;
            bool card = recipe.Devices.TrainingKey(recipe) is not null;
            var none = new StageMemory(0, 0);
            var training = TrainingMemoryPrediction.Of(recipe.Student.Base, options.Training, longest, card);
            var rollouts = ModelMemory.ForCompletions(recipe.Student.Base, options.Slots, options.MaxTokens, card);
            var reference = options.ReferenceWeight > 0
                ? TrainingMemoryPrediction.OfScoring(recipe.Student.Base, options.Training, longest, card)
                : none;
            var teacher = options.TeacherWeight > 0
                ? ModelMemory.ForCompletions(recipe.Teacher.Model, Environment.ProcessorCount, options.MaxTokens, card: false)
                : none;
            return training is null || rollouts is null || reference is null || teacher is null ? null
                : training + rollouts + reference + teacher;
        }
    }

    public StageLoad Load(Foresight earlier) => new(
        WorkKind.Rollouts, (long)recipe.Rl.Steps * recipe.Rl.ProblemsPerStep * recipe.Rl.Samples)
    {
        Model = ExternalInputs.Base, MaxTokens = recipe.Rl.MaxTokens, Steps = recipe.Rl.Steps,
        Setting = TrainingLoad.SettingOf(recipe.Rl.Precision, recipe.Rl.Threads) + $", looks every {recipe.Rl.EvaluateEvery}",
        BytesPerParameter = TrainingLoad.CheckpointBytes, StateBytesPerParameter = TrainingLoad.StateBytes,
    };

    public string? Continuation(string folder) => TrainedStudent.Continuation(folder, recipe.Rl.UpdatesPerBatch);

    public string Run(StageContext context)
    {
        var student = StudentStart.Open(context, recipe, start);
        var encoder = student.Encoder;
        Problem[] train = ProblemsStage.Read(context, ProblemsStage.OfReinforcement(recipe));
        Problem[] heldOut = [.. ProblemsStage.Read(context, ProblemsStage.Validation).Take(recipe.Rl.ValidationProblems)];
        using var parameters = new FlatParameters(student.Architecture, recipe.Devices.TrainingDevice(recipe));
        parameters.Load(student.Weights);
        var options = recipe.Rl.ToOptions() with
        {
            LongestSequence = Longest(encoder, train.Concat(heldOut)),
            TeacherTop = recipe.Rl.TeacherTopOf(student.Architecture.VocabularySize),
        };
        using var server = ServedModel.PolicyServer(parameters);
        using var verifiers = RecipeVerifiers.Open(context, recipe);
        var edge = recipe.Rl.Edge is { } section
            ? EdgeProblems.Read(context, verifiers, section, train, recipe.Rl.ProblemsPerStep)
            : null;
        Problem[] drawn = edge?.Problems ?? train;
        var collection = new RolloutCollection(
            encoder, StudentAccuracy.JudgeOf(encoder.Tokenizer, verifiers), options,
            recipe.Rl.Rewards?.ToRule(encoder.Tokenizer, recipe.Rl.MaxTokens),
            StudentAccuracy.PreparationOf(encoder.Tokenizer, verifiers));
        using var teacher = recipe.Rl.TeacherWeight is null
            ? null
            : new TeacherReference(
                context.Input(ExternalInputs.Teacher).Folder, encoder, student.Architecture.VocabularySize, train[0],
                options.LongestSequence!.Value, recipe.Devices.Teacher(recipe).Device);
        using var curve = new TrainingCurve(context);
        long completed = 0;
        PolicyScore? look = null;
        var result = new GroupRelativePolicyOptimization(server, collection, options, context.Clock, teacher).Run(
            parameters, (step, place) => Draw(drawn, step, place), heldOut, TrainedStudent.StatePath(context),
            report =>
            {
                look = report.HeldOut ?? look;
                Report(context, curve, report, look);
                completed += report.CompletionTokens;
            }, context.Cancellation, context.Warning);
        curve.Write();
        context.Worked(DoneBy(curve, result.Steps, completed));
        TrainedStudent.Save(context, parameters, student.Tokenizer);
        return Summary(result, heldOut.Length, edge, curve);
    }

    private string Summary(ReinforcementResult result, int n, EdgeProblems? edge, TrainingCurve curve)
    {
        var (before, best) = (result.Before, result.Best);
        return $"sampled {ReportNumbers.Percent(before.Sampled, n)} → {ReportNumbers.Percent(best.Sampled, n)}"
            + $", greedy {ReportNumbers.Percent(before.Greedy, n)} → {ReportNumbers.Percent(best.Greedy, n)}"
            + $" on {n:N0} validation problems at step {result.BestStep}"
            + (result.BestStep == 0 ? ": nothing was better than the start" : "")
            + (edge is null ? "" : $"; {edge.Found:N0} of {edge.Asked:N0} training problems at the edge")
            + (recipe.Rl.ResampleRounds == 0 ? ""
                : $"; {curve.Values("stayed_dead").Sum(step => step.Value):N0} of {(long)result.Steps * recipe.Rl.ProblemsPerStep:N0}"
                    + " groups stayed dead")
            + (result.Steps < recipe.Rl.Steps ? $"; ended at step {result.Steps}" : "")
            + string.Concat(result.Findings.Select(finding => $"; step {finding.Step}, {finding.Alarm}: {finding.Message}"));
    }

    private WorkDone DoneBy(TrainingCurve curve, int steps, long completed)
    {
        long rows = (long)steps * recipe.Rl.ProblemsPerStep * recipe.Rl.Samples;
        double length = curve.Values("mean_tokens").Select(step => step.Value).DefaultIfEmpty(0).Average();
        return new WorkDone(rows, Tokens: (long)(rows * length), Steps: steps, Units: completed);
    }

    private int Longest(ChatEncoder encoder, IEnumerable<Problem> problems) =>
        problems.Max(problem => encoder.EncodePrompt(ProblemPrompt.Messages(problem)).Length) + recipe.Rl.MaxTokens;

    // Every problem once before any comes again, in another order each time. Replacements follow an order of their step's own, so that
    // how many one step needs moves nothing in the next.
    private Problem Draw(Problem[] train, int step, int place)
    {
        if (place >= recipe.Rl.ProblemsPerStep)
        {
            int[] replacements = Permutation.Of(train.Length, SeedSequence.Derive((ulong)recipe.Rl.Seed, 0x7265, (ulong)step));
            return train[replacements[(place - recipe.Rl.ProblemsPerStep) % train.Length]];
        }

        long index = (long)step * recipe.Rl.ProblemsPerStep + place;
        int[] order = Permutation.Of(train.Length, SeedSequence.Derive((ulong)recipe.Rl.Seed, 0x726C, (ulong)(index / train.Length)));
        return train[order[index % train.Length]];
    }

    private void Report(StageContext context, TrainingCurve curve, ReinforcementStepReport report, PolicyScore? look)
    {
        var values = new Dictionary<string, double>
        {
            ["reward"] = report.MeanReward,
            ["dead_groups"] = report.DeadGroups,
            ["truncated"] = report.Truncated,
            ["entropy"] = report.Entropy,
            ["mean_tokens"] = report.MeanTokens,
            ["gradient_norm"] = report.GradientNorm,
            ["mismatch"] = report.Mismatch,
            ["learning_rate"] = report.LearningRate,
        };
        if (report.HeldOut is { } heldOut) (values["held_out"], values["held_out_greedy"]) = (heldOut.Sampled, heldOut.Greedy);
        foreach (var (name, value) in Extras(report)) values[name] = value;
        foreach (var finding in report.Findings)
            context.Warning($"Step {finding.Step}, {finding.Alarm}: {finding.Message}{(finding.Stops ? "; the training ends" : "")}.");
        curve.Add(report.Step, report.Steps, values);
        double rate = report.CompletionTokens / Math.Max(1e-9, report.GenerationSeconds + report.TrainingSeconds);
        context.Measure("completionTokensPerSecond", rate);
        string seen = look is { } score ? $", sampled {score.Sampled:P1}, greedy {score.Greedy:P1}" : "";
        context.Progress(new StageProgress(
            report.Step, report.Steps, "updates", $"reward {report.MeanReward:F3}{seen}", rate, "tokens/s"));
    }

    // What the recipe switched on; a recipe that says nothing of it keeps the curve it had.
    private IEnumerable<(string Name, double Value)> Extras(ReinforcementStepReport report)
    {
        if (recipe.Rl.RatioCap is not null) yield return ("largest_mismatch", report.LargestMismatch);
        if (report.ReferenceDistance is { } distance)
            yield return (recipe.Rl.TeacherWeight is null ? "reference_distance" : "teacher_distance", distance);
        if (report.TeacherDivergence is { } divergence) yield return ("teacher_divergence", divergence);
        if (report.Clipped is { } clipped)
        {
            yield return ("clipped_low", clipped.Low);
            yield return ("clipped_high", clipped.High);
        }

        if (recipe.Rl.ResampleRounds > 0)
        {
            yield return ("resampled", report.Resampled);
            yield return ("stayed_dead", report.StayedDead);
        }

        if (recipe.Rl.Rewards is not null)
        {
            foreach (var (name, value) in report.RewardParts) yield return ($"reward_{name}", value);
        }

        foreach (var finding in report.Findings) yield return ($"alarm_{finding.Alarm}", 1);
    }
}
