using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Model;
using Distill.Student.Pruning;
using Distill.Student.Reinforcement;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>Supervised fine-tuning of the base on the kept traces: on steps and answers, or, to show what the steps are worth, on answers alone.</summary>
internal sealed class SupervisedStage : IStage
{
    public const string CheckpointFolder = "checkpoint", CurveName = "curve.jsonl";

    private const string StateName = "state.safetensors";

    private const int PruningSample = 64; // examples that say what matters in the base

    private readonly DistillationRecipe recipe;
    private readonly TrainingSection training;
    private readonly bool steps;
    private readonly SoftLabelSection? softLabels;

    private SupervisedStage(string name, string folder, DistillationRecipe recipe, TrainingSection training, bool steps, SoftLabelSection? softLabels) =>
        (Name, Folder, this.recipe, this.training, this.steps, this.softLabels) = (name, folder, recipe, training, steps, softLabels);

    public string Name { get; }

    public string Folder { get; }

    public string Kind => "checkpoint";

    public int Version => 4;

    public IReadOnlyList<string> Inputs =>
        LooksAtAccuracy ? [StageNames.Curated, ExternalInputs.Base, StageNames.Problems] : [StageNames.Curated, ExternalInputs.Base];

    public JsonObject Options
    {
        get
        {
            var options = new JsonObject { ["training"] = CanonicalJson.ToNode(training), ["seed"] = recipe.Seed };
            if (softLabels is not null) options["soft_labels"] = CanonicalJson.ToNode(softLabels);
            if (recipe.Lora is { } lora) options["lora"] = CanonicalJson.ToNode(lora);
            if (recipe.Student.ToPruning() is { } pruning) options["pruning"] = CanonicalJson.ToNode(pruning);
            if (LooksAtAccuracy) options["verifiers"] = VerifierVersions.Of(recipe);
            return options;
        }
    }

    public string Work => $"{training.Epochs} epochs over the kept traces";

    /// <summary>Of the base as it is, before any cut; null when it cannot be read, which running will say.</summary>
    public long? MemoryBytes => TrainingMemoryEstimate.Of(recipe.Student.Base, SupervisedOptionsOf().Training, training.SequenceLength);

    private bool LooksAtAccuracy => training.HeldOut?.Measure == HeldOutMeasureKind.Accuracy;

    public static SupervisedStage Steps(DistillationRecipe recipe) => new(StageNames.Sft, "4-sft", recipe, recipe.Sft, steps: true, recipe.SoftLabels);

    public static SupervisedStage AnswersOnly(DistillationRecipe recipe) =>
        new(StageNames.AnswerOnly, "4-answer-only", recipe, recipe.AnswerOnly.Training, steps: false, softLabels: null); // without the steps the teacher's distributions fit no token

    public string Run(StageContext context)
    {
        var start = Checkpoint.Open(context.Input(ExternalInputs.Base).Folder);
        var encoder = ChatEncoder.Load(start.Folder);
        var examples = SupervisedExamples.Read(
            context.Input(StageNames.Curated).PathOf(CurationStage.Traces), encoder, steps, softLabels is null ? null : new TeacherExamples(encoder, start.Architecture.VocabularySize),
            training.SequenceLength, training.HeldOut?.Share, (ulong)recipe.Seed);
        var weights = Weights(start, examples.Training);
        using var parameters = new FlatParameters(weights.Architecture);
        parameters.Load(weights);
        using var server = LooksAtAccuracy ? Engine.PolicyServer(weights.Architecture) : null;
        var heldOut = Measure(context, encoder, server, examples.HeldOut);
        var kept = new KeptCheckpoints(context, training.HeldOut?.Keep ?? 0, start.Tokenizer);
        using var curve = new TrainingCurve(context, new TrainingSpeed(weights.Architecture.ParameterCount, context.Clock));
        var result = SupervisedFineTuning.Run(
            parameters, examples.Training, SupervisedOptionsOf(), context.Clock, Path.Combine(context.Folder, StateName), report => curve.Add(report, heldOut?.Name), context.Cancellation,
            heldOut, look => kept.Add(look.Step, parameters), context.Warning);
        curve.Write();
        Checkpoint.Save(Path.Combine(context.Folder, CheckpointFolder), parameters.ToWeightSet(), start.Tokenizer);
        context.AddFolder(CheckpointFolder);
        kept.AddToArtifact();
        return Summary(examples, curve, result, heldOut);
    }

    private WeightSet Weights(Checkpoint start, IReadOnlyList<TrainingSequence> examples) => recipe.Student.ToPruning() is { } pruning
        ? DecoderPruning.Prune(start.LoadWeights(), pruning, [.. examples.Take(PruningSample)])
        : start.LoadWeights();

    private IHeldOutMeasure? Measure(StageContext context, ChatEncoder encoder, IPolicyServer? server, IReadOnlyList<TrainingSequence> examples)
    {
        if (training.HeldOut is not { } section) return null;
        return server is null ? new HeldOutLoss(examples) : SampledAccuracy.Of(context, encoder, server, section.Problems!.Value, section.MaxTokens!.Value, training.Threads, recipe.Seed);
    }

    private string Summary(SupervisedExamples examples, TrainingCurve curve, SupervisedResult result, IHeldOutMeasure? heldOut) =>
        $"{examples.Training.Count:N0} examples × {training.Epochs} epochs, last loss {curve.Values("loss").Last().Value:F3}"
        + (examples.TooLong == 0 ? "" : $"; {examples.TooLong:N0} longer than {training.SequenceLength} tokens left out")
        + (result.Best is { } best ? string.Create(CultureInfo.InvariantCulture, $"; best {heldOut!.Name.Replace('_', ' ')} {best.Value:F3} at step {best.Step}") : "")
        + (result.Steps < result.PlannedSteps ? $"; ended at step {result.Steps} of {result.PlannedSteps}" : "");

    private SupervisedOptions SupervisedOptionsOf() => new()
    {
        Epochs = training.Epochs,
        BatchTokens = training.BatchTokens,
        Seed = (ulong)recipe.Seed,
        WeightAverage = training.WeightAverage,
        SoftLabels = softLabels is { } soft ? new SoftLabelOptions(soft.ToDivergence(), soft.Weight) : null,
        Loss = training.ToLoss(),
        HeldOut = training.HeldOut?.ToOptions(),
        LowRank = recipe.Lora?.ToOptions(),
        Training = new TrainingOptions
        {
            LearningRate = training.LearningRate,
            Decay = training.Schedule.ToDecay(),
            WarmupShare = training.Warmup,
            RateFloor = training.RateFloor ?? 0,
            CoolDown = training.CoolDown ?? CoolDown.Linear,
            Optimizer = new AdamWOptions(WeightDecay: training.WeightDecay),
            Precision = training.Precision.ToMatmulPrecision(),
            RoundingSeed = (ulong)recipe.Seed,
            Threads = training.Threads,
            MicroBatchTokens = Math.Max(2048, training.SequenceLength),
        },
    };
}
