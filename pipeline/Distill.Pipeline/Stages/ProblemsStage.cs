using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Stages;

/// <summary>Draws the problems of all three splits and the twins of the first test problems.</summary>
internal sealed class ProblemsStage(DistillationRecipe recipe) : IStage
{
    public const string Train = "train.jsonl", Validation = "validation.jsonl", Test = "test.jsonl", Twins = "twins.jsonl";

    public string Name => StageNames.Problems;

    public string Folder => "1-problems";

    public string Kind => "problems";

    public int Version => 1;

    public IReadOnlyList<string> Inputs => [];

    public JsonObject Options => new()
    {
        ["problems"] = CanonicalJson.ToNode(recipe.Problems),
        ["seed"] = recipe.Seed,
    };

    public string Work => $"{recipe.Problems.Train + recipe.Problems.Validation + recipe.Problems.Test:N0} problems";

    public string Run(StageContext context)
    {
        var parts = recipe.Problems.ToParts();
        IReadOnlyList<Problem> Draw(Split split, int count) => ProblemSet.Generate(parts, (ulong)recipe.Seed, split, count);
        var test = Draw(Split.Test, recipe.Problems.Test);
        var twins = test.Take(recipe.Problems.Twins).SelectMany(problem => ProblemFamilies.Get(problem.Family).Twins(problem)).Select(twin => twin.Problem).ToList();
        Write(context, Train, Draw(Split.Train, recipe.Problems.Train));
        Write(context, Validation, Draw(Split.Validation, recipe.Problems.Validation));
        Write(context, Test, test);
        Write(context, Twins, twins);
        return $"{recipe.Problems.Train:N0} to train on, {recipe.Problems.Validation:N0} to steer by, {recipe.Problems.Test:N0} to test on, {twins.Count:N0} twins";
    }

    private static void Write(StageContext context, string name, IReadOnlyList<Problem> problems) =>
        context.Writer.Write(name, stream => ProblemFile.Write(stream, problems), _ => problems.Count);
}
