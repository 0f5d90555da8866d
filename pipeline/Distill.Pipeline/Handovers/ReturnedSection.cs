using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Training;

namespace Distill.Pipeline.Handovers;

/// <summary><c>returned</c>: a student that another trainer made of a hand-over takes the place of the training handed over.</summary>
internal sealed record ReturnedSection : Section, ITrainingSection
{
    [Option("folder that the other trainer saved: `config.json` and safetensors, of any precision and in any number of files",
        Required = true, Path = PathUse.Folder, Files = ["config.json"], Remedy = "give the folder that the trainer saved its weights to")]
    public string Checkpoint { get; init; } = "";

    [Option("folder that `distill handover` wrote", Required = true, Path = PathUse.Folder, Files = [HandoverRecord.FileName],
        Remedy = "give the folder that distill handover wrote")]
    public string Handover { get; init; } = "";

    [Option("the training that was handed over: `sft`, `preference` or `rl`; it and those after it are left out", Required = true,
        Words = nameof(Stages))]
    public string Stage { get; init; } = "";

    internal static IReadOnlyList<string> Stages => HandedTraining.Stages;

    public IEnumerable<IStage> StagesOf(DistillationRecipe recipe, string start) => [new ReturnedStage(recipe, this, start)];

    /// <summary>Whether a section of the recipe trains what was handed over, or goes on from it.</summary>
    internal bool Replaces(ITrainingSection section, DistillationRecipe recipe)
    {
        if (ReferenceEquals(section, this) || section.IsComparison(recipe)) return false;
        int place = section switch
        {
            TrainingSection => 0, PreferenceSection => 1, ReinforcementSection => 2,
            _ => throw new InvalidOperationException($"Where '{section.GetType().Name}' stands in the line is not known."),
        };
        return place >= Stages.ToList().IndexOf(Stage);
    }
}
