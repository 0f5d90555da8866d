using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Problems.Twins;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// Draws the problems of one split, or the twins of the first test problems. Each is an artefact of its own, so that more test problems
/// cost no trace and no training.
/// </summary>
internal sealed class ProblemsStage : IStage
{
    public const string Train = "problems/train", Validation = "problems/validation", Test = "problems/test", Twins = "problems/twins";

    private const string FileName = "problems.jsonl";

    private readonly Func<StageContext, IReadOnlyList<Problem>> draw;
    private readonly string noun;

    private ProblemsStage(StageDeclaration declaration, int count, string noun, Func<StageContext, IReadOnlyList<Problem>> draw) =>
        (Declaration, this.draw, this.noun, Work) = (declaration, draw, noun, $"{count:N0} {noun}");

    public StageDeclaration Declaration { get; }

    public string Work { get; }

    public static IReadOnlyList<IStage> All(DistillationRecipe recipe) =>
    [
        OfSplit(recipe, Train, Split.Train, recipe.Problems.Train, "problems to train on"),
        OfSplit(recipe, Validation, Split.Validation, recipe.Problems.Validation, "problems to steer by"),
        OfSplit(recipe, Test, Split.Test, recipe.Problems.Test, "problems to test on"),
        OfTwins(recipe.Problems.Twins),
    ];

    /// <summary>The problems of an input.</summary>
    public static Problem[] Read(StageContext context, string stage) => [.. ProblemFile.Read(context.Input(stage).PathOf(FileName))];

    public string Run(StageContext context)
    {
        var problems = draw(context);
        context.Writer.Write(FileName, stream => ProblemFile.Write(stream, problems), _ => problems.Count);
        return $"{problems.Count:N0} {noun}";
    }

    private static ProblemsStage OfSplit(DistillationRecipe recipe, string name, Split split, int count, string noun)
    {
        var parts = recipe.Problems.ToParts();
        ulong seed = (ulong)recipe.Problems.Seed;
        var options = recipe.Problems.ToKey(recipe, nameof(ProblemSection.Families), nameof(ProblemSection.Seed));
        options["count"] = count;
        return new ProblemsStage(
            DeclarationOf(name) with { Options = options }, count, noun, _ => ProblemSet.Generate(parts, seed, split, count));
    }

    private static ProblemsStage OfTwins(int count) => new(
        DeclarationOf(Twins) with { Inputs = [Test], Options = new JsonObject { ["count"] = count } }, count, "twins of test problems",
        context => [.. Read(context, Test).Take(count)
            .SelectMany(ProblemTwins.Of).Select(twin => twin.Problem)]);

    private static StageDeclaration DeclarationOf(string name) =>
        new() { Name = name, Folder = $"1-{name}", Kind = "problems", Version = 2 };
}
