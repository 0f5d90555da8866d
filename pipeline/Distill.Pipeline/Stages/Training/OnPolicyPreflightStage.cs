using System.Text.Json;
using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.OnPolicy;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Storage;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// A few problems before on-policy distillation, answered by student and teacher: whether the teacher has anything to teach there. Its
/// verdict is an opinion; only <c>rl.preflight: stop</c> makes it end the run.
/// </summary>
/// <param name="start">Stage or model whose student is to be distilled.</param>
internal sealed class OnPolicyPreflightStage(DistillationRecipe recipe, string start) : IStage
{
    public const string StageName = "rl_preflight";

    private const string FolderName = "5-rl-preflight", ReportName = "on-policy.json";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = FolderName,
        Kind = "preflight",
        Version = 2, // 2: the rule asks for more
        Inputs = [ProblemsStage.Validation, start, ExternalInputs.Teacher],
        GateOf = ReinforcementStage.StageName,
        Options = StageDeclaration.OptionsOf(
            ("rl", recipe.Rl.ToKey(recipe, nameof(recipe.Rl.Temperature), nameof(recipe.Rl.MaxTokens), nameof(recipe.Rl.Seed))),
            ("problems", recipe.Rl.PreflightProblems), ("stops", Stops(recipe) ? true : null),
            ("verifiers", RecipeVerifiers.VersionsOf(recipe)), ("device", recipe.Devices.TrainingKey(recipe)),
            ("teacher_device", recipe.Devices.TeacherKey(recipe)), ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())),
            ("added_tokens", StudentStart.KeyOf(recipe, start))),
        Resource = StageResource.Model,
    };

    public string Work => $"{Count:N0} problems once each by student and teacher";

    public StageMemory? Memory
    {
        get
        {
            var student = ModelMemory.ForCompletions(
                recipe.Student.Base, Slots, recipe.Rl.MaxTokens, recipe.Devices.TrainingKey(recipe) is not null);
            var teacher = ModelMemory.ForCompletions(
                recipe.Teacher.Model, Slots, recipe.Rl.MaxTokens, recipe.Devices.TeacherKey(recipe) is not null);
            return student is null || teacher is null ? null : student + teacher;
        }
    }

    private int Count => Math.Min(recipe.Rl.PreflightProblems, recipe.Problems.Validation);

    // The larger of the two models has the say in what memory holds.
    private int Slots => Math.Min(recipe.Teacher.Slots, Count);

    public StageLoad Load(Foresight earlier) => new(WorkKind.Completions, 2L * Count)
    {
        Model = ExternalInputs.Teacher, MaxTokens = recipe.Rl.MaxTokens, Setting = $"{Slots} slots",
    };

    public static OnPolicyReport ReadReport(Artifact made) => Read(made.PathOf(ReportName));

    /// <param name="run">Folder of a run that has done this stage.</param>
    public static OnPolicyReport ReadReport(string run) => Read(Path.Combine(run, FolderName, ReportName));

    public string Run(StageContext context)
    {
        var report = Measure(context);
        if (report.Verdict != OnPolicyVerdict.ExpectedToHelp)
        {
            if (Stops(recipe))
                throw new GateFailedException($"The preflight stops the run before on-policy distillation.\n{report.Describe()}")
                {
                    Remedy = "Take another teacher or student, learn from rewards, or set rl.preflight to warn.",
                };
            context.Warning($"On-policy distillation is {report.Sentence}.");
        }

        context.Writer.Write(ReportName, JsonSerializer.SerializeToUtf8Bytes(report, EvaluationStage.Spelling));
        return report.Describe();
    }

    private static OnPolicyReport Read(string file) =>
        JsonSerializer.Deserialize<OnPolicyReport>(File.ReadAllBytes(file), EvaluationStage.Spelling)
        ?? throw new InvalidDataException($"'{file}' holds no preflight.");

    private static bool Stops(DistillationRecipe recipe) => recipe.Rl.Preflight == OnPolicyPreflightMode.Stop;

    private OnPolicyReport Measure(StageContext context)
    {
        var student = StudentStart.Open(context, recipe, start);
        var encoder = student.Encoder;
        Problem[] problems = [.. ProblemsStage.Read(context, ProblemsStage.Validation).Take(recipe.Rl.PreflightProblems)];
        int longest = problems.Max(problem => encoder.EncodePrompt(ProblemPrompt.Messages(problem)).Length) + recipe.Rl.MaxTokens;
        var options = recipe.Rl.ToOptions() with { LongestSequence = longest, Slots = Slots };
        using var teacher = ServedModel.Open(
            context.Input(ExternalInputs.Teacher).Folder, options.Slots, style: encoder.Style,
            device: recipe.Devices.Teacher(recipe).Device);
        if (TeacherReference.FaultOf(teacher, encoder, student.Architecture.VocabularySize, problems[0], longest) is { } fault)
            return new OnPolicyReport(OnPolicyVerdict.CannotBeDone, fault.TrimEnd('.'), null);
        using var parameters = new FlatParameters(student.Architecture, recipe.Devices.TrainingDevice(recipe));
        parameters.Load(student.Weights);
        using var server = ServedModel.PolicyServer(parameters);
        using var policy = server.Serve(parameters);
        using var verifiers = RecipeVerifiers.Open(context, recipe);
        var collection = new RolloutCollection(
            encoder, StudentAccuracy.JudgeOf(encoder.Tokenizer, verifiers), options,
            prepare: StudentAccuracy.PreparationOf(encoder.Tokenizer, verifiers));
        int threads = recipe.Devices.TrainingKey(recipe) is null ? options.Training.Threads : 1;
        using RolloutScoring own = new(policy, threads, longest), other = new(teacher.Model, teacher.Workers, longest);
        var measure = new OnPolicyPreflight(collection, options.Temperature, options.Seed).Measure(
            new(policy, own), new(teacher.Model, other), problems, context.Cancellation);
        context.Worked(new WorkDone(2L * problems.Length, Tokens: measure.Tokens, Units: measure.Tokens));
        return OnPolicyRule.Of(measure);
    }
}
