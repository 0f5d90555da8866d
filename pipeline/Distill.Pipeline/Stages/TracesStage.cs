using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Teacher;

namespace Distill.Pipeline.Stages;

/// <summary>The teacher solves the training problems. Every part is committed as it is finished, so a kill costs one part at most.</summary>
internal sealed class TracesStage(DistillationRecipe recipe) : IStage
{
    public string Name => StageNames.Traces;

    public string Folder => "2-traces";

    public string Kind => "traces";

    public int Version => 2;

    public IReadOnlyList<string> Inputs => [StageNames.Problems, ExternalInputs.Teacher];

    public JsonObject Options
    {
        get
        {
            var options = Sampling;
            if (recipe.Teacher.TopLogProbabilities is { } top) options["top_log_probabilities"] = top;
            return options;
        }
    }

    private JsonObject Sampling => new()
    {
        ["teacher"] = TeacherName,
        ["samples"] = recipe.Teacher.Samples,
        ["temperature"] = recipe.Teacher.Temperature,
        ["top_p"] = recipe.Teacher.TopP,
        ["max_tokens"] = recipe.Teacher.MaxTokens,
        ["seed"] = recipe.Seed,
    };

    public string Work =>
        $"{recipe.Problems.Train:N0} problems × {recipe.Teacher.Samples} samples, at most {(long)recipe.Problems.Train * recipe.Teacher.Samples * recipe.Teacher.MaxTokens:N0} tokens";

    public long? MemoryBytes => EngineMemory.ForCompletions(recipe.Teacher.Model, recipe.Teacher.Slots, recipe.Teacher.MaxTokens);

    private string TeacherName => recipe.Teacher.Name;

    public string Run(StageContext context)
    {
        var teacher = context.Input(ExternalInputs.Teacher);
        Problem[] problems = [.. ProblemFile.Read(context.Input(StageNames.Problems).PathOf(ProblemsStage.Train))];
        using var engine = Engine.OpenModelFolder(teacher.Folder, recipe.Teacher.Slots);
        var collection = new TraceCollection(engine.Generator, engine.Encoder, recipe.Teacher.ToCollectionOptions((ulong)recipe.Seed, teacher.Digest), context.Clock);
        var files = new TraceFiles(context.Writer);
        var last = default(TraceProgress);
        collection.Run(problems, files.TryTake, files.Write, progress =>
        {
            last = progress;
            context.Progress(new StageProgress(progress.Traces, progress.TotalTraces, "traces", "", progress.TokensPerSecond, "tokens/s"));
        }, context.Cancellation);
        if (last.TokensGenerated > 0) context.Measure("teacherTokensPerSecond", last.TokensPerSecond);
        files.WriteCard(TeacherName);
        return $"{problems.Length * recipe.Teacher.Samples:N0} traces of {problems.Length:N0} problems";
    }
}
