using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>Supervised fine-tuning of the base on the kept traces: on steps and answers, or, to show what the steps are worth, on answers alone.</summary>
internal sealed class SupervisedStage : IStage
{
    public const string CheckpointFolder = "checkpoint", CurveName = "curve.jsonl";

    private const string StateName = "state.safetensors";

    private readonly TrainingSection training;
    private readonly long seed;
    private readonly bool steps;
    private readonly SoftLabelSection? softLabels;

    private SupervisedStage(string name, string folder, TrainingSection training, long seed, bool steps, SoftLabelSection? softLabels) =>
        (Name, Folder, this.training, this.seed, this.steps, this.softLabels) = (name, folder, training, seed, steps, softLabels);

    public string Name { get; }

    public string Folder { get; }

    public string Kind => "checkpoint";

    public int Version => 3;

    public IReadOnlyList<string> Inputs => [StageNames.Curated, ExternalInputs.Base];

    public JsonObject Options
    {
        get
        {
            var options = new JsonObject { ["training"] = CanonicalJson.ToNode(training), ["seed"] = seed };
            if (softLabels is not null) options["soft_labels"] = CanonicalJson.ToNode(softLabels);
            return options;
        }
    }

    public string Work => $"{training.Epochs} epochs over the kept traces";

    public static SupervisedStage Steps(DistillationRecipe recipe) => new(StageNames.Sft, "4-sft", recipe.Sft, recipe.Seed, steps: true, recipe.SoftLabels);

    public static SupervisedStage AnswersOnly(DistillationRecipe recipe) =>
        new(StageNames.AnswerOnly, "4-answer-only", recipe.AnswerOnly.Training, recipe.Seed, steps: false, softLabels: null); // without the steps the teacher's distributions fit no token

    public string Run(StageContext context)
    {
        var start = Checkpoint.Open(context.Input(ExternalInputs.Base).Folder);
        var encoder = ChatEncoder.Load(start.Folder);
        var (examples, tooLong) = Examples(context, encoder, start.Architecture.VocabularySize);
        if (examples.Count == 0) throw new InvalidDataException($"No example has at most {training.SequenceLength} tokens: raise sft.sequence_length.");
        using var parameters = new FlatParameters(start.Architecture);
        parameters.Load(start.LoadWeights());
        using var curve = new TrainingCurve(context, new TrainingSpeed(start.Architecture.ParameterCount, context.Clock));
        SupervisedFineTuning.Run(parameters, examples, SupervisedOptionsOf(), context.Clock, Path.Combine(context.Folder, StateName), curve.Add, context.Cancellation);
        curve.Write();
        Checkpoint.Save(Path.Combine(context.Folder, CheckpointFolder), parameters.ToWeightSet(), start.Tokenizer);
        context.AddFolder(CheckpointFolder);
        return $"{examples.Count:N0} examples × {training.Epochs} epochs, last loss {curve.Values("loss").Last().Value:F3}" + (tooLong == 0 ? "" : $"; {tooLong:N0} longer than {training.SequenceLength} tokens left out");
    }

    private (List<TrainingSequence> Examples, int TooLong) Examples(StageContext context, ChatEncoder encoder, int vocabularySize)
    {
        var teacher = softLabels is null ? null : new TeacherExamples(encoder, vocabularySize);
        var examples = new List<TrainingSequence>();
        int tooLong = 0;
        foreach (var graded in TraceFile.ReadGraded(context.Input(StageNames.Curated).PathOf(CurationStage.Traces)).Where(graded => graded.Keep))
        {
            var example = teacher?.Of(graded.Trace) ?? Encode(encoder, graded.Trace);
            if (example.Tokens.Count > training.SequenceLength) tooLong++;
            else examples.Add(example);
        }

        return (examples, tooLong);
    }

    private TrainingSequence Encode(ChatEncoder encoder, Trace trace)
    {
        var example = steps
            ? encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Reasoning, trace.Answer!)
            : encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Answer!);
        return new TrainingSequence(example.Tokens, example.PromptLength);
    }

    private SupervisedOptions SupervisedOptionsOf() => new()
    {
        Epochs = training.Epochs,
        BatchTokens = training.BatchTokens,
        Seed = (ulong)seed,
        WeightAverage = training.WeightAverage,
        SoftLabels = softLabels is { } soft ? new SoftLabelOptions(soft.ToDivergence(), soft.Weight) : null,
        Training = new TrainingOptions
        {
            LearningRate = training.LearningRate,
            Decay = training.Schedule.ToDecay(),
            WarmupShare = training.Warmup,
            Optimizer = new AdamWOptions(WeightDecay: training.WeightDecay),
            Precision = training.Precision.ToMatmulPrecision(),
            Threads = training.Threads,
            MicroBatchTokens = Math.Max(2048, training.SequenceLength),
        },
    };
}
