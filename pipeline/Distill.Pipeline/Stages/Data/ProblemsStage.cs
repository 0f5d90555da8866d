using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Problems.Twins;
using Distill.Data.Sources.Selection;
using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Problems;
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

    internal const string FileName = "problems.jsonl";

    private readonly Func<StageContext, Drawn> draw;
    private readonly string noun;

    private ProblemsStage(StageDeclaration declaration, int count, string atMost, string noun, Func<StageContext, Drawn> draw) =>
        (Declaration, this.draw, this.noun, Work) = (declaration, draw, noun, $"{atMost} {count:N0} {noun}".TrimStart());

    /// <param name="Note">What the result adds about them; may be empty.</param>
    private sealed record Drawn(IReadOnlyList<Problem> Problems, string Note = "")
    {
        public static Drawn Of((IReadOnlyList<Problem> Problems, string Note) taken) => new(taken.Problems, taken.Note);
    }

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
        var (problems, note) = draw(context);
        context.Writer.Write(FileName, stream => ProblemFile.Write(stream, problems), _ => problems.Count);
        return $"{problems.Count:N0} {noun}{note}";
    }

    private static ProblemsStage OfSplit(DistillationRecipe recipe, string name, Split split, int count, string noun)
    {
        var news = NewProblems.Of(recipe, split);
        if (recipe.Problems.HasSources) return OfSources(recipe, name, split, count, noun, news);
        var parts = recipe.Problems.ToParts();
        ulong seed = (ulong)recipe.Problems.Seed;
        var options = recipe.Problems.ToKey(recipe, nameof(ProblemSection.Families), nameof(ProblemSection.Seed));
        options["count"] = count;
        return new ProblemsStage(
            DeclarationOf(name) with { Options = options, Inputs = news.Inputs }, count, "", noun,
            context => Drawn.Of(news.Take(context, count, most => ProblemSet.Generate(parts, seed, split, most),
                most => ProblemSet.GenerateAtMost(parts, seed, split, most))));
    }

    private static ProblemsStage OfSources(DistillationRecipe recipe, string name, Split split, int count, string noun, NewProblems news)
    {
        var options = recipe.Problems.ToKey(recipe, nameof(ProblemSection.Sources), nameof(ProblemSection.TestSources),
            nameof(ProblemSection.Decontaminate), nameof(ProblemSection.Verifier), nameof(ProblemSection.OnBadRow),
            nameof(ProblemSection.NearDuplicates), nameof(ProblemSection.SharedWords), nameof(ProblemSection.Seed));
        options["count"] = count;
        if (recipe.Problems.Validation == 0) options["validation"] = 0; // then its share is trained on
        options["verifiers"] = RecipeVerifiers.VersionsOf(recipe);
        var declaration = DeclarationOf(name) with { Options = options, Inputs = [ExternalInputs.ProblemFiles, .. news.Inputs] };
        return new ProblemsStage(declaration, count, "at most", noun, context => Taken(context, recipe.Problems, split, count, news));
    }

    private static Drawn Taken(StageContext context, ProblemSection section, Split split, int count, NewProblems news)
    {
        var problems = RecipeProblems.Of(section);
        var (taken, note) = news.Take(context, count, Draw, Draw);
        var pool = problems.Pool(context.Cancellation);
        DroppedRow[] dropped = [.. ProblemArtifact.Of(pool, split)];
        context.Writer.Write(ProblemArtifact.DroppedName, stream => ProblemArtifact.WriteDropped(stream, dropped), _ => dropped.Length);
        var memory = new DigestMemory(null, context.Clock);
        context.Writer.Write(ProblemArtifact.SourcesName, ProblemArtifact.Sources(problems.Sources, pool, taken, memory));
        return new Drawn(taken, ProblemArtifact.Summary(dropped) + note);

        IReadOnlyList<Problem> Draw(int most) => problems.Take(split, most, context.Cancellation);
    }

    private static ProblemsStage OfTwins(int count) => new(
        DeclarationOf(Twins) with { Inputs = [Test], Options = new JsonObject { ["count"] = count } }, count, "",
        "twins of test problems",
        context => new Drawn([.. Read(context, Test).Take(count)
            .SelectMany(ProblemTwins.Of).Select(twin => twin.Problem)]));

    private static StageDeclaration DeclarationOf(string name) =>
        new() { Name = name, Folder = $"1-{name}", Kind = "problems", Version = 2 };
}
