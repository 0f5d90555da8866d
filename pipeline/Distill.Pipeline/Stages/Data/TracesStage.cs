using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// The teacher solves the training problems, a unit being a part of the problems. Every completion is kept as it ends and every part
/// committed as it is finished, so a kill costs what was being written and no more.
/// </summary>
internal sealed class TracesStage(DistillationRecipe recipe) : IDividedStage
{
    public const string StageName = "traces", FolderName = "2-traces";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = FolderName,
        Kind = "traces",
        Version = 5,
        Inputs = [ProblemsStage.Train, ExternalInputs.Teacher],
        Options = OptionsOf(recipe),
        Resource = StageResource.Model,
    };

    public string Work
    {
        get
        {
            long completions = (long)recipe.Problems.Train * recipe.Teacher.Samples;
            return $"{recipe.Problems.Train:N0} problems × {recipe.Teacher.Samples} samples, "
                + $"at most {completions * recipe.Teacher.MaxTokens:N0} tokens";
        }
    }

    public long? MemoryBytes => ModelMemory.ForCompletions(recipe.Teacher.Model, recipe.Teacher.Slots, recipe.Teacher.MaxTokens);

    public IStageWork Begin(StageContext context)
    {
        var teacher = context.Input(ExternalInputs.Teacher);
        var problems = ProblemsStage.Read(context, ProblemsStage.Train);
        return new TraceWork(context, problems, recipe.Teacher.ToCollectionOptions(teacher.Digest))
        {
            Open = () => ServedModel.Open(teacher.Folder, recipe.Teacher.Slots, style: recipe.Prompt.ToTeacherStyle()),
            RateName = "teacherTokensPerSecond",
            Join = files =>
            {
                files.WriteCard(recipe.Teacher.Name);
                return $"{problems.Length * recipe.Teacher.Samples:N0} traces of {problems.Length:N0} problems";
            },
        };
    }

    public string? Continuation(string folder) => TraceWork.Continuation(folder, recipe.Problems.Train);

    private static JsonObject OptionsOf(DistillationRecipe recipe) => StageDeclaration.OptionsOf(
        ("name", recipe.Teacher.Name),
        ("teacher", recipe.Teacher.ToKey(recipe)),
        ("prompt", PromptSection.KeyOf(recipe.Prompt.ToTeacherStyle())));
}

/// <summary>A model of ours answers problems, part by part. The model is opened when a part has to be made.</summary>
internal sealed class TraceWork(StageContext context, IReadOnlyList<Problem> problems, TraceCollectionOptions options) : IStageWork
{
    private readonly TraceFiles files = new(context);
    private ServedModel? model;
    private TraceCollection? collection;
    private CompletionJournal? journal;
    private long began, tokens;

    public required Func<ServedModel> Open { get; init; }

    /// <summary>What the rate of tokens is called in the report.</summary>
    public required string RateName { get; init; }

    /// <summary>Writes what belongs to all parts together and tells the result.</summary>
    public required Func<TraceFiles, string> Join { get; init; }

    public string Noun { get; init; } = "traces";

    /// <summary>How far unfinished work is.</summary>
    public static string Continuation(string folder, int problems)
    {
        int size = new TraceCollectionOptions { Seed = 0, Teacher = "", TeacherDigest = "" }.ProblemsPerPart;
int parts = (problems + size - 1) / size;
        return $"part {Math.Min(new WorkLog(folder).Count + 1, parts)} of {parts}";
    }

    public int Units => (problems.Count + options.ProblemsPerPart - 1) / options.ProblemsPerPart;

    public bool IsDone(int unit) => files.TryTake(unit);

    public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
    {
        collection ??= Begin();
        foreach (int unit in units)
        {
            var part = problems.Skip(unit * options.ProblemsPerPart).Take(options.ProblemsPerPart).ToList();
            int done = unit * options.ProblemsPerPart * options.Samples;
            long before = tokens;
            files.Write(collection.Generate(
                part, unit, generated => Report(done + generated.Completions, before + generated.CompletionTokens), cancellation));
        }
    }

    public string Finish()
    {
        double seconds = context.Clock.GetElapsedTime(began).TotalSeconds;
        if (tokens > 0) context.Measure(RateName, tokens / seconds);
        return Join(files);
    }

    public void Dispose()
    {
        journal?.Dispose();
        model?.Dispose();
    }

    private TraceCollection Begin()
    {
        model = Open();
        if (context.SharedCompletions is { } folder)
        {
            journal = CompletionJournal.Open(folder, options.TeacherDigest);
            foreach (string note in journal.Notes) context.Warning(note);
        }

        began = context.Clock.GetTimestamp();
        return new TraceCollection(model.Generator, model.Encoder, options, journal, context.Clock);
    }

    private void Report(int done, long made)
    {
        tokens = made;
        double rate = tokens / Math.Max(1e-9, context.Clock.GetElapsedTime(began).TotalSeconds);
        context.Progress(new StageProgress(done, (double)problems.Count * options.Samples, Noun, "", rate, "tokens/s"));
    }
}
