using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Problems.Twins;
using Distill.Data.Sources.Selection;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// Draws the problems of one split, or the twins of the first test problems. Each is an artefact of its own, so that more test problems
/// cost no trace and no training.
/// </summary>
internal sealed class ProblemsStage : IStage
{
    public const string Train = "problems/train", Validation = "problems/validation", Test = "problems/test", Twins = "problems/twins",
        Practice = "problems/practice";

    internal const string FileName = "problems.jsonl";

    private const int Usual = 12_000; // problems by which usual shares are told

    private readonly Func<StageContext, Drawn> draw;
    private readonly string noun;
    private readonly int count;

    private ProblemsStage(StageDeclaration declaration, int count, string atMost, string noun, Func<StageContext, Drawn> draw) =>
        (Declaration, this.draw, this.noun, this.count, Work) = (declaration, draw, noun, count, $"{atMost} {count:N0} {noun}".TrimStart());

    /// <param name="Note">What the result adds about them; may be empty.</param>
    private sealed record Drawn(IReadOnlyList<Problem> Problems, string Note = "")
    {
        public static Drawn Of((IReadOnlyList<Problem> Problems, string Note) taken) => new(taken.Problems, taken.Note);
    }

    public StageDeclaration Declaration { get; }

    public string Work { get; }

    public StageLoad Load(Foresight earlier) => new(WorkKind.Rows, count);

    // What was left out has a file of its own.
    public long RowsOf(Artifact made) => made.Manifest.Files.Where(file => file.Path == FileName).Sum(file => file.Rows ?? 0);

    public static IReadOnlyList<IStage> All(DistillationRecipe recipe) =>
    [
        OfTraining(recipe),
        .. recipe.Problems.HasPractice ? [OfPractice(recipe)] : Array.Empty<IStage>(),
        OfSplit(recipe, Validation, Split.Validation, recipe.Problems.Validation, "problems to steer by"),
        OfSplit(recipe, Test, Split.Test, recipe.Problems.Test, "problems to test on"),
        OfTwins(recipe.Problems.Twins),
    ];

    /// <summary>The stage whose problems reinforcement asks.</summary>
    public static string OfReinforcement(DistillationRecipe recipe) => recipe.Problems.HasPractice ? Practice : Train;

    /// <summary>The problems of an input.</summary>
    public static Problem[] Read(StageContext context, string stage) => [.. ProblemFile.Read(context.Input(stage).PathOf(FileName))];

    public string Run(StageContext context)
    {
        var (problems, note) = draw(context);
        context.Writer.Write(FileName, stream => ProblemFile.Write(stream, problems), _ => problems.Count);
        context.Worked(new WorkDone(Math.Min(count, problems.Count), Units: Math.Min(count, problems.Count)));
        return $"{problems.Count:N0} {noun}{note}";
    }

    private static ProblemsStage OfTraining(DistillationRecipe recipe)
    {
        var plain = OfSplit(recipe, Train, Split.Train, recipe.Problems.Train, "problems to train on");
        int twinned = recipe.Problems.TrainTwins;
        if (twinned == 0) return plain;
        var options = (JsonObject)plain.Declaration.Options.DeepClone();
        options["twins"] = twinned;
        return new ProblemsStage(
            plain.Declaration with { Options = options }, plain.count, "at least", "problems to train on", context =>
            {
                var (problems, note) = plain.draw(context);
                Problem[] twins = [.. problems.Take(twinned).SelectMany(ProblemTwins.Of).Select(twin => twin.Problem)];
                return new Drawn([.. problems, .. twins], $"{note}, {twins.Length:N0} of them twins");
            });
    }

    // A larger set of the same seed holds what a smaller one holds, in another order.
    private static ProblemsStage OfPractice(DistillationRecipe recipe)
    {
        var section = recipe.Problems;
        var all = OfSplit(recipe, Practice, Split.Train, section.Train + section.Practice, "problems to practise on", orFewer: true);
        var options = (JsonObject)all.Declaration.Options.DeepClone();
        options["practice"] = section.Practice;
        var declaration = all.Declaration with { Version = 3, Options = options, Inputs = [Train, .. all.Declaration.Inputs] };
        return new ProblemsStage(declaration, section.Practice, "at most", "problems to practise on", context =>
        {
            var (problems, note) = all.draw(context);
            Problem[] train = [.. Read(context, Train).Where(problem => ProblemId.TryParseTwin(problem.Id) is null)];
            var seed = (ulong)section.Seed;
            var usual = section.HasSources ? train
                : ProblemSet.AsTheyCome(section.ToParts(Split.Train), seed, Split.Train, Usual);
            var practice = PracticeProblems.Of(train, usual, problems, section.Practice, seed);
            if (practice.Problems.Count == 0)
                throw new RunEndedException("There is no problem beside those with traces to practise on: leave problems.practice out.");
            string fewer = practice.Problems.Count < section.Practice ? $", {section.Practice:N0} were asked for" : "";
            string again = practice.Trained > 0 ? $", {practice.Trained:N0} of them training's too: there are no others of their kind" : "";
            return new Drawn(practice.Problems, note + fewer + again);
        });
    }

    private static ProblemsStage OfSplit(
        DistillationRecipe recipe, string name, Split split, int count, string noun, bool orFewer = false)
    {
        var news = NewProblems.Of(recipe, split);
        if (recipe.Problems.HasSources) return OfSources(recipe, name, split, count, noun, news);
        var parts = recipe.Problems.ToParts(split);
        ulong seed = (ulong)recipe.Problems.Seed;
        var options = recipe.Problems.Of(split).ToKey(recipe, nameof(ProblemSection.Families), nameof(ProblemSection.Seed));
        options["count"] = count;
        return new ProblemsStage(
            DeclarationOf(name) with { Options = options, Inputs = news.Inputs }, count, "", noun,
            context => Drawn.Of(news.Take(context, count, orFewer ? AtMost : All, AtMost)));

        IReadOnlyList<Problem> All(int most) => ProblemSet.Generate(parts, seed, split, most);
        IReadOnlyList<Problem> AtMost(int most) => ProblemSet.GenerateAtMost(parts, seed, split, most);
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
