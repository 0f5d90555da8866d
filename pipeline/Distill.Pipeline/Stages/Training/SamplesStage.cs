using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// The student answers training problems, several times each: what preferences are made of, kept as traces, so that another loss asks for
/// no completion again. A unit is a part of the problems.
/// </summary>
/// <param name="start">Stage or model whose student is asked.</param>
internal sealed class SamplesStage(DistillationRecipe recipe, PreferenceSection section, string start) : IDividedStage
{
    public const string StageName = "samples";

    private const ulong Draw = 0x7072_6566; // other completions than any other stage draws with the run's seed

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "5-samples",
        Kind = "traces",
        Version = 3,
        Inputs = [ProblemsStage.Train, start],
        Options = StageDeclaration.OptionsOf(
            ("samples", section.ToKey(
                recipe, nameof(section.Samples), nameof(section.Temperature), nameof(section.MaxTokens), nameof(section.Seed))),
            ("problems", section.Problems), ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())),
            ("device", recipe.Devices.StudentsKey(recipe))),
        Resource = StageResource.Model,
    };

    public string Work
    {
        get
        {
            long completions = (long)section.Problems * section.Samples;
            return $"{section.Problems:N0} problems × {section.Samples} completions, at most {completions * section.MaxTokens:N0} tokens";
        }
    }

    /// <summary>A student is as large as its base.</summary>
    public StageMemory? Memory => ModelMemory.ForCompletions(
        recipe.Student.Base, recipe.Evaluation.Slots, section.MaxTokens, recipe.Devices.StudentsKey(recipe) is not null);

    public IStageWork Begin(StageContext context)
    {
        var student = context.Input(start);
        var problems = ProblemsStage.Read(context, ProblemsStage.Train).Take(section.Problems).ToList();
        var options = section.ToCollectionOptions((ulong)section.Seed ^ Draw, start, student.Digest);
        return new TraceWork(context, ProblemParts.Of(problems), options)
        {
            Open = () => ServedModel.OpenCheckpoint(
                student.CheckpointFolder, recipe.Evaluation.Slots, style: recipe.Prompt.ToStudentStyle(),
                device: recipe.Devices.Students(recipe).Device),
            RateName = "completionTokensPerSecond",
            Noun = "completions",
            Join = (files, _) =>
            {
                files.WriteCard(
                    start, $"Completions of generated problems by the student `{start}`, as generated: nothing is graded or left out.");
                return $"{(long)problems.Count * section.Samples:N0} completions of {problems.Count:N0} problems";
            },
        };
    }
}
