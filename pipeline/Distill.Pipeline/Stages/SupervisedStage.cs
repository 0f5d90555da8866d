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

    private SupervisedStage(string name, string folder, TrainingSection training, long seed, bool steps) =>
        (Name, Folder, this.training, this.seed, this.steps) = (name, folder, training, seed, steps);

    public string Name { get; }

    public string Folder { get; }

    public string Kind => "checkpoint";

    public int Version => 2;

    public IReadOnlyList<string> Inputs => [StageNames.Curated, ExternalInputs.Base];

    public JsonObject Options => new() { ["training"] = CanonicalJson.ToNode(training), ["seed"] = seed };

    public string Work => $"{training.Epochs} epochs over the kept traces";

    public static SupervisedStage Steps(DistillationRecipe recipe) => new(StageNames.Sft, "4-sft", recipe.Sft, recipe.Seed, steps: true);

    public static SupervisedStage AnswersOnly(DistillationRecipe recipe) =>
        new(StageNames.AnswerOnly, "4-answer-only", recipe.AnswerOnly.Training, recipe.Seed, steps: false);

    public string Run(StageContext context)
    {
        var start = Checkpoint.Open(context.Input(ExternalInputs.Base).Folder);
        var encoder = ChatEncoder.Load(start.Folder);
        var (examples, tooLong) = Examples(context, encoder);
        if (examples.Count == 0) throw new InvalidDataException($"No example has at most {training.SequenceLength} tokens: raise sft.sequence_length.");
        using var parameters = new FlatParameters(start.Architecture);
        parameters.Load(start.LoadWeights());
        using var curve = new TrainingCurve(context);
        SupervisedFineTuning.Run(parameters, examples, SupervisedOptionsOf(), context.Clock, Path.Combine(context.Folder, StateName), curve.Add, context.Cancellation);
        curve.Write();
        Checkpoint.Save(Path.Combine(context.Folder, CheckpointFolder), parameters.ToWeightSet(), start.Tokenizer);
        context.AddFolder(CheckpointFolder);
        return $"{examples.Count:N0} examples × {training.Epochs} epochs, last loss {curve.Values("loss").Last().Value:F3}" + (tooLong == 0 ? "" : $"; {tooLong:N0} longer than {training.SequenceLength} tokens left out");
    }

    private (List<TrainingSequence> Examples, int TooLong) Examples(StageContext context, ChatEncoder encoder)
    {
        var examples = new List<TrainingSequence>();
        int tooLong = 0;
        foreach (var graded in TraceFile.ReadGraded(context.Input(StageNames.Curated).PathOf(CurationStage.Traces)).Where(graded => graded.Keep))
        {
            var example = Encode(encoder, graded.Trace);
            if (example.Tokens.Length > training.SequenceLength) tooLong++;
            else examples.Add(new TrainingSequence(example.Tokens, example.PromptLength));
        }

        return (examples, tooLong);
    }

    private ChatExample Encode(ChatEncoder encoder, Trace trace) => steps
        ? encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Reasoning, trace.Answer!)
        : encoder.EncodeExample(ProblemPrompt.Messages(trace.Problem), trace.Answer!);

    private SupervisedOptions SupervisedOptionsOf() => new()
    {
        Epochs = training.Epochs,
        BatchTokens = training.BatchTokens,
        Seed = (ulong)seed,
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
