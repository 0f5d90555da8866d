using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Student.Model;
using Distill.Student.Pruning;
using Distill.Student.Reinforcement;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Tokenization;
using TorchSharp;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// Supervised fine-tuning of the base on the kept traces: on steps and answers, or, to show what the steps are worth, on answers alone.
/// </summary>
internal sealed class SupervisedStage : IStage
{
    public const string StepsName = "sft", AnswersName = "answer-only";

    private const int PruningSample = 64; // examples that say what matters in the base

    private readonly DistillationRecipe recipe;
    private readonly TrainingSection training;
    private readonly bool steps;
    private readonly SoftLabelSection? softLabels;

    private SupervisedStage(DistillationRecipe recipe, TrainingSection training, bool steps, SoftLabelSection? softLabels)
    {
        (this.recipe, this.training, this.steps, this.softLabels) = (recipe, training, steps, softLabels);
        string name = steps ? StepsName : AnswersName;
        Declaration = new()
        {
            Name = name,
            Folder = $"4-{name}",
            Kind = "checkpoint",
            Version = 5, // 5: the fused passes round otherwise
            Inputs =
            [
                CurationStage.StageName, ExternalInputs.Base, .. ReplayStage.InputsOf(recipe),
                .. LooksAtAccuracy ? [ProblemsStage.Validation] : Array.Empty<string>(),
            ],
            Options = OptionsOf(),
            Resource = StageResource.Model,
            Student = steps
                ? new StudentDeclaration(name, "steps", "trained on the teacher’s steps")
                : new StudentDeclaration(name, name, "trained on answers alone", Continues: false),
        };
    }

    public StageDeclaration Declaration { get; }

    public string Work => $"{training.Epochs} epochs over the kept traces";

    /// <summary>Of the base as it is, before any cut; null when it cannot be read, which running will say.</summary>
    public StageMemory? Memory => TrainingMemoryPrediction.Of(
        recipe.Student.Base, ToOptions(), training.SequenceLength, recipe.Devices.TrainingKey(recipe) is not null);

    public StageLoad Load(Foresight earlier)
    {
        long examples = earlier.Rows(CurationStage.StageName) ?? recipe.Problems.Train;
        examples += ReplayStage.InputsOf(recipe).Sum(stage => earlier.Rows(stage) ?? 0);
        return new(WorkKind.Training, examples * training.Epochs)
        {
            Model = ExternalInputs.Base, Setting = TrainingLoad.SettingOf(training.Precision, training.Threads, training.Optimizer),
            LikelyTokens = Math.Min(
                steps ? TeacherRole.TokensOf(recipe, earlier) ?? double.MaxValue : training.SequenceLength / 4.0, training.SequenceLength),
            BytesPerParameter = TrainingLoad.CheckpointBytes * (1 + (training.HeldOut?.Keep ?? 0)),
            StateBytesPerParameter = TrainingLoad.StateBytes,
        };
    }

    private bool LooksAtAccuracy => training.HeldOut?.Measure == HeldOutMeasureKind.Accuracy;

    public static SupervisedStage Steps(DistillationRecipe recipe) => new(recipe, recipe.Sft, steps: true, recipe.SoftLabels);

    // Without the steps the teacher's distributions fit no token.
    public static SupervisedStage AnswersOnly(DistillationRecipe recipe) => new(recipe, recipe.AnswerOnly, steps: false, softLabels: null);

    public string? Continuation(string folder) => TrainedStudent.Continuation(folder);

    public string Run(StageContext context)
    {
        var start = StudentStart.Open(context, recipe, ExternalInputs.Base);
        var encoder = start.Encoder;
        var examples = SupervisedExamples.Read(
            ReplayStage.InputsOf(recipe).Prepend(CurationStage.StageName).SelectMany(stage => CuratedFiles.PathsOf(context.Input(stage))),
            encoder, steps,
            softLabels is null ? null : new TeacherExamples(encoder, start.Architecture.VocabularySize),
            training.SequenceLength, training.HeldOut?.LossShare, (ulong)training.Seed);
        var weights = Weights(start, examples.Training);
        var device = recipe.Devices.TrainingDevice(recipe);
        using var parameters = new FlatParameters(weights.Architecture, recipe.Lora is { KeepsBaseAside: true } ? torch.CPU : device);
        parameters.Load(weights);
        using var server = LooksAtAccuracy ? ServedModel.PolicyServer(parameters) : null;
        using var verifiers = LooksAtAccuracy ? RecipeVerifiers.Open(context, recipe) : null;
        var heldOut = Measure(context, verifiers, encoder, server, examples.HeldOut);
        var kept = new KeptCheckpoints(context, training.HeldOut?.Keep ?? 0, start.Tokenizer);
        using var curve = new TrainingCurve(context, new TrainingSpeed(weights.Architecture.ParameterCount, context.Clock));
        var result = SupervisedFineTuning.Run(
            parameters, examples.Training, ToOptions() with { AdapterDevice = device }, context.Clock, TrainedStudent.StatePath(context),
            report => curve.Add(report, heldOut?.Name), context.Cancellation,
            heldOut, look => kept.Add(look.Step, parameters), context.Warning);
        curve.Write();
        context.Worked(curve.Done((long)examples.Training.Count * training.Epochs));
        TrainedStudent.Save(context, parameters, start.Tokenizer);
        kept.AddToArtifact();
        return Summary(examples, curve, result, heldOut);
    }

    private SupervisedOptions ToOptions() => training.ToOptions(softLabels, recipe.Lora);

    private JsonObject OptionsOf() => StageDeclaration.OptionsOf(
        ("training", training.ToKey(recipe)), ("soft_labels", softLabels?.ToKey(recipe)), ("lora", recipe.Lora?.ToKey(recipe)),
        ("pruning", recipe.Student.ToPruning() is { } pruning ? CanonicalJson.ToNode(pruning) : null),
        ("verifiers", LooksAtAccuracy ? RecipeVerifiers.VersionsOf(recipe) : null),
        ("device", recipe.Devices.TrainingKey(recipe)),
        ("passes", TrainedStudent.PassesKey(recipe, ToOptions().Training, recipe.Lora is { KeepsBaseAside: true })),
        ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())), ("added_tokens", StudentStart.KeyOf(recipe, ExternalInputs.Base)));

    private WeightSet Weights(StudentStart start, IReadOnlyList<TrainingSequence> examples) => recipe.Student.ToPruning() is { } pruning
        ? DecoderPruning.Prune(start.Weights, pruning, [.. examples.Take(PruningSample)])
        : start.Weights;

    private IHeldOutMeasure? Measure(
        StageContext context, RecipeVerifiers? verifiers, ChatEncoder encoder, IPolicyServer? server,
        IReadOnlyList<TrainingSequence> examples)
    {
        if (training.HeldOut is not { } section) return null;
        return server is null
            ? new HeldOutLoss(examples)
            : StudentAccuracy.Of(
                context, verifiers!, encoder, server, section.Problems, section.MaxTokens, training.Threads, training.Seed);
    }

    private string Summary(SupervisedExamples examples, TrainingCurve curve, SupervisedResult result, IHeldOutMeasure? heldOut) =>
        $"{examples.Training.Count:N0} examples × {training.Epochs} epochs, last loss {curve.Values("loss").Last().Value:F3}"
        + (examples.TooLong == 0 ? "" : $"; {examples.TooLong:N0} longer than {training.SequenceLength} tokens left out")
        + (result.Best is { } best
            ? string.Create(
                CultureInfo.InvariantCulture, $"; best {heldOut!.Name.Replace('_', ' ')} {best.Value:F3} at step {best.Step}")
            : "")
        + (result.Steps < result.PlannedSteps ? $"; ended at step {result.Steps} of {result.PlannedSteps}" : "");
}
