using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Teacher;

namespace Distill.Pipeline.Stages;

/// <summary>
/// The SFT student answers training problems, several times each: what preferences are made of, kept as traces, so that another loss asks for no
/// completion again. Every part is committed as it is finished, so a kill costs one part at most.
/// </summary>
internal sealed class SamplesStage(DistillationRecipe recipe, PreferenceSection section) : IStage
{
    private const ulong Draw = 0x7072_6566; // other completions than any other stage draws with the run's seed

    public string Name => StageNames.Samples;

    public string Folder => "5-samples";

    public string Kind => "traces";

    public int Version => 1;

    public IReadOnlyList<string> Inputs => [StageNames.Problems, StageNames.Sft];

    public JsonObject Options => new()
    {
        ["problems"] = section.Problems,
        ["samples"] = section.Samples,
        ["temperature"] = section.Temperature,
        ["max_tokens"] = section.MaxTokens,
        ["seed"] = recipe.Seed,
    };

    public string Work => $"{section.Problems:N0} problems × {section.Samples} completions, at most {(long)section.Problems * section.Samples * section.MaxTokens:N0} tokens";

    /// <summary>A student is as large as its base.</summary>
    public long? MemoryBytes => EngineMemory.ForCompletions(recipe.Student.Base, recipe.Evaluation.Slots, section.MaxTokens);

    public string Run(StageContext context)
    {
        var student = context.Input(StageNames.Sft);
        Problem[] problems = [.. ProblemFile.Read(context.Input(StageNames.Problems).PathOf(ProblemsStage.Train)).Take(section.Problems)];
        using var engine = Engine.OpenCheckpoint(Path.Combine(student.Folder, SupervisedStage.CheckpointFolder), recipe.Evaluation.Slots);
        var files = new TraceFiles(context.Writer);
        var last = default(TraceProgress);
        new TraceCollection(engine.Generator, engine.Encoder, section.ToCollectionOptions((ulong)recipe.Seed ^ Draw, StageNames.Sft, student.Digest), context.Clock).Run(problems, files.TryTake, files.Write, progress =>
        {
            last = progress;
            context.Progress(new StageProgress(progress.Traces, progress.TotalTraces, "completions", "", progress.TokensPerSecond, "tokens/s"));
        }, context.Cancellation);
        if (last.TokensGenerated > 0) context.Measure("completionTokensPerSecond", last.TokensPerSecond);
        files.WriteCard(StageNames.Sft, "student");
        return $"{(long)problems.Length * section.Samples:N0} completions of {problems.Length:N0} problems";
    }
}
