using System.Text.Json.Nodes;
using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Training;

/// <summary>What a student is asked before a training that goes on from it.</summary>
/// <param name="Key">What decides the completions, besides the problems.</param>
/// <param name="Problems">How many of the problems, from the first.</param>
/// <param name="Collection">Without the student, which is known when the stage begins.</param>
internal sealed record StudentSamples(string Stage, string Folder, JsonObject Key, int Problems, TraceCollectionOptions Collection)
{
    /// <summary>The stage whose problems are asked.</summary>
    public string Asked { get; init; } = ProblemsStage.Train;

    public const string PreferenceStage = "samples", EdgeStage = "edge";

    private const ulong PreferenceDraw = 0x7072_6566, EdgeDraw = 0x6564_6765; // no two stages draw the same completions by one seed

    /// <summary>What preferences are made of.</summary>
    public static StudentSamples ForPreferences(DistillationRecipe recipe, PreferenceSection section) => new(
        PreferenceStage, "5-samples",
        section.ToKey(recipe, nameof(section.Samples), nameof(section.Temperature), nameof(section.MaxTokens), nameof(section.Seed)),
        section.Problems, section.ToCollectionOptions((ulong)section.Seed ^ PreferenceDraw, "", ""));

    /// <summary>How often reinforcement's student solves which problems already, sampled as its rollouts are.</summary>
    public static StudentSamples ForEdge(DistillationRecipe recipe, ReinforcementSection section, EdgeSection edge)
    {
        var key = section.ToKey(recipe, nameof(section.Temperature), nameof(section.MaxTokens), nameof(section.Seed));
        key["edge"] = edge.ToKey(recipe, nameof(edge.Samples));
        return new StudentSamples(EdgeStage, "5-edge", key, edge.Problems, new TraceCollectionOptions
        {
            Seed = (ulong)section.Seed ^ EdgeDraw,
            Teacher = "",
            TeacherDigest = "",
            Samples = edge.Samples,
            Sampling = new SamplingOptions { Temperature = section.Temperature },
            MaxNewTokens = section.MaxTokens,
        })
        {
            Asked = ProblemsStage.OfReinforcement(recipe),
        };
    }
}

/// <summary>
/// The student answers training problems, several times each, and the completions are kept as traces, so that a training that goes by them
/// asks for none again when only its own options change. A unit is a part of the problems.
/// </summary>
/// <param name="start">Stage or model whose student is asked.</param>
internal sealed class SamplesStage(DistillationRecipe recipe, StudentSamples asked, string start) : IDividedStage
{
    public StageDeclaration Declaration { get; } = new()
    {
        Name = asked.Stage,
        Folder = asked.Folder,
        Kind = "traces",
        Version = 3,
        Inputs = [asked.Asked, start],
        Options = StageDeclaration.OptionsOf(
            ("samples", asked.Key), ("problems", asked.Problems), ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle())),
            ("device", recipe.Devices.StudentsKey(recipe))),
        Resource = StageResource.Model,
    };

    public string Work
    {
        get
        {
            var (samples, most) = (asked.Collection.Samples, asked.Collection.MaxNewTokens);
            return $"{asked.Problems:N0} problems × {samples} completions, at most {(long)asked.Problems * samples * most:N0} tokens";
        }
    }

    /// <summary>A student is as large as its base.</summary>
    public StageMemory? Memory => ModelMemory.ForCompletions(
        recipe.Student.Base, recipe.Evaluation.Slots, asked.Collection.MaxNewTokens, recipe.Devices.StudentsKey(recipe) is not null);

    public StageLoad Load(Foresight earlier) => new(
        WorkKind.Completions,
        Math.Min(asked.Problems, earlier.Rows(asked.Asked) ?? asked.Problems) * asked.Collection.Samples)
    {
        Model = ExternalInputs.Base, MaxTokens = asked.Collection.MaxNewTokens, Setting = $"{recipe.Evaluation.Slots} slots",
    };

    public IStageWork Begin(StageContext context)
    {
        var student = context.Input(start);
        var problems = ProblemsStage.Read(context, asked.Asked).Take(asked.Problems).ToList();
        var options = asked.Collection with { Teacher = start, TeacherDigest = student.Digest };
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
                return $"{(long)problems.Count * options.Samples:N0} completions of {problems.Count:N0} problems";
            },
        };
    }
}
