using System.Globalization;
using Distill.Data.Curation;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Storage;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// What the base student thinks of the traces before it learns from them: the mean log-probability of each completion. A unit is a part of
/// the traces, so that a kill costs one part.
/// </summary>
internal sealed class LearnabilityStage(DistillationRecipe recipe) : IDividedStage
{
    public const string StageName = "learnability";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "3-learnability",
        Kind = "scores",
        Version = 1,
        Inputs = [TracesStage.StageName, ExternalInputs.Base],
        Options = StageDeclaration.OptionsOf(
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())), ("device", recipe.Devices.StudentsKey(recipe))),
        Resource = StageResource.Model,
    };

    public string Work => $"{TeacherRole.MostTraces(recipe):N0} traces read by the base student";

    public StageMemory? Memory => ModelMemory.ForCompletions(
        recipe.Student.Base, 1, recipe.Sft.SequenceLength, recipe.Devices.StudentsKey(recipe) is not null);

    public StageLoad Load(Foresight earlier)
    {
        long traces = earlier.Rows(TracesStage.StageName) ?? TeacherRole.MostTraces(recipe);
        return new(WorkKind.Training, traces)
        {
            Model = ExternalInputs.Base, Setting = "reading",
            LikelyTokens = TeacherRole.TokensOf(recipe, earlier) ?? recipe.Sft.SequenceLength,
        };
    }

    public static LearnabilityScores Read(StageInput scores) => new(scores.PathsOf(".parquet").SelectMany(LearnabilityFile.Read));

    public IStageWork Begin(StageContext context) => new ScoringWork(context, recipe);

    /// <summary>The student is opened when a part has to be scored.</summary>
    private sealed class ScoringWork(StageContext context, DistillationRecipe recipe) : IStageWork
    {
        private readonly StageInput traces = context.Input(TracesStage.StageName);
        private readonly IReadOnlyList<ArtifactFile> parts = context.Input(TracesStage.StageName).FilesWith(".parquet");
        private readonly Dictionary<int, ArtifactFile> scored = [];
        private ServedModel? student;
        private TokenScorer? scorer;
        private bool hasMarks, wasTaken;
        private long read;

        public int Units => parts.Count;

        public bool IsDone(int unit)
        {
            if (context.TryTake(NameOf(unit)) is not { } taken) return false;
            scored[unit] = taken;
            wasTaken = true;
            return true;
        }

        public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
        {
            Open();
            foreach (int unit in units)
            {
                using var watched = context.BeginUnit(unit);
                var scores = TraceFile.ReadTexts(traces.PathOf(parts[unit].Path))
                    .Where(trace => trace.Answer is not null).Select(trace => ScoreOf(trace, cancellation)).OfType<LearnabilityScore>();
                scored[unit] = LearnabilityFile.Write(context.Writer, NameOf(unit), [.. scores]);
                context.Progress(new StageProgress(scored.Count, Units, "parts"));
            }
        }

        public string Finish()
        {
            long rows = scored.Values.Sum(file => file.Rows ?? 0);
            // The tokens of all rows, which were not counted where an earlier process scored some.
            context.Worked(new WorkDone(rows, Tokens: wasTaken ? 0 : read, Units: read));
            return $"{rows:N0} traces scored";
        }

        public void Dispose()
        {
            scorer?.Dispose();
            student?.Dispose();
        }

        private void Open()
        {
            student ??= ServedModel.OpenCheckpoint(
                context.Input(ExternalInputs.Base).CheckpointFolder, recipe.Evaluation.Slots, batched: false,
                recipe.Prompt.ToStudentStyle(), recipe.Devices.Students(recipe).Device);
            scorer ??= new TokenScorer(student.Model);
            hasMarks = ((string[])[ThinkMarks.Open, ThinkMarks.Close])
                .All(mark => student.Encoder.Tokenizer.IdOf(mark) is { } id && student.Encoder.Tokenizer.IsAdded(id));
        }

        // A trace that the student cannot read has no score; training leaves it out for its length.
        private LearnabilityScore? ScoreOf(Trace trace, CancellationToken cancellation)
        {
            var messages = ProblemPrompt.Messages(trace.Problem);
            // A base that does not know the marks yet reads the same words without them.
            var example = hasMarks
                ? student!.Encoder.EncodeExample(messages, trace.Reasoning, trace.Answer!)
                : student!.Encoder.EncodeExample(messages, $"{trace.Reasoning}\n{trace.Answer}");
            if (example.Tokens.Length > scorer!.MaxLength) return null;
            read += example.Tokens.Length;
            var scores = scorer.Score(example.Tokens, cancellation: cancellation);
            // The first token has no score: that of token i stands at i − 1.
            int first = Math.Max(0, example.PromptLength - 1), count = example.Tokens.Length - 1 - first;
            double sum = 0;
            for (int i = first; i < first + count; i++) sum += scores.LogProbabilities[i];
            return new LearnabilityScore(trace.Problem.Id, trace.SampleIndex, (float)(sum / count), count);
        }

        private static string NameOf(int unit) => string.Create(CultureInfo.InvariantCulture, $"data/scores-{unit:D5}.parquet");
    }
}
