using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Promotions;

/// <summary>A file that grows from night to night.</summary>
public sealed class ContinuationTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private readonly Problem[] problems = [.. ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 11, Split.Train, 60)];

    private string sources = "sources: [ { file: own.jsonl, question: q, answer: a } ]";

    private int train = 100;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Only_what_is_new_is_trained_on_and_nothing_new_is_no_fault()
    {
        Write(40);
        var first = Train();
        Promoted(first);
        var (result, _) = Run();
        result.EndedEarly.ShouldNotBeNull().ShouldContain("no problem that version 1 was not trained on");
        RunCatalogue.Find(folder["runs"], "file").State.ShouldBe("stopped");
        RunState.TryRead(result.Folder)!.Verdict.ShouldBe(RunVerdict.EndedEarly);

        Write(60);
        var (next, _) = Run();
        next.EndedEarly.ShouldBeNull();
        var fresh = Train();
        fresh.ShouldNotBeEmpty();
        fresh.Select(problem => problem.Text).Intersect(first.Select(problem => problem.Text)).ShouldBeEmpty();
    }

    [Fact]
    public void Where_fewer_problems_are_new_than_were_asked_for_those_are_all()
    {
        ProblemSetPart[] parts = [new("knights", 1)];
        int most = int.Parse(ProblemSet.FindShortages(parts, 5, Split.Train, 20_000).Single().Split("only about ")[1].Split(' ')[0],
            System.Globalization.CultureInfo.InvariantCulture);
        (sources, train) = ("families: [ { name: knights, level: 1 } ]", most - 20);
        var first = Train();
        Promoted(first);
        var fresh = Train();
        fresh.Length.ShouldBeInRange(1, 20);
        fresh.Select(problem => problem.Text).Intersect(first.Select(problem => problem.Text)).ShouldBeEmpty();
    }

    [Fact]
    public void A_version_that_is_not_kept_is_said_before_anything_is_done()
    {
        Write(40);
        Promoted(Train());
        var fault = Should.Throw<InvalidRecipeException>(() => Parse("continue_from.version=7"));
        fault.Problems.Single().ToString().ShouldContain("version 7 is not kept");
        Parse("continue_from.version=0").Student.Base.ShouldEndWith("tiny-base");
        Parse("continue_from.new_problems=false").ContinueFrom!.Version.ShouldBe(1);
    }

    private string Place => Path.Combine(folder.Path, "mine");

    private void Write(int count) => folder.File("own.jsonl", string.Concat(problems.Take(count).Select(problem =>
        new JsonObject { ["q"] = problem.Text, ["a"] = problem.ReferenceAnswer }.ToJsonString() + "\n")));

    private Problem[] Train()
    {
        Run();
        return [.. ProblemFile.Read(Path.Combine(folder["runs"], "file", "1-problems", "train", "problems.jsonl"))];
    }

    private (RunResult Result, RecordingObserver Observer) Run()
    {
        var observer = new RecordingObserver();
        var options = new RunOptions { RunsFolder = folder["runs"], Until = "problems" };
        return (PipelineRun.Run(Parse(), options, observer, TimeProvider.System, TestContext.Current.CancellationToken), observer);
    }

    private DistillationRecipe Parse(params string[] overrides) => (DistillationRecipe)RecipeFile.Parse(
        $$"""
        name: file
        seed: 5
        teacher: { model: {{RepositoryFolder.Root}}/teacher/models/tiny-reasoner, samples: 1, max_tokens: 32 }
        problems:
          {{sources}}
          train: {{train}}
          validation: 4
          test: 4
          twins: 0
        student: { base: {{RepositoryFolder.Root}}/student/models/tiny-base }
        continue_from: { promoted: mine }
        parity: { prompts: 2 }
        """, "file.yaml", folder.Path, overrides);

    // What a promotion leaves, without the models.
    private void Promoted(IEnumerable<Problem> trained)
    {
        using var place = PromotionPlace.Open(Place, default, "a test", _ => { }, default);
        place.Promote(3, (target, number) =>
        {
            foreach (string name in (string[])[PromotedVersion.ModelFolder, PromotedVersion.TracesFolder])
                Directory.CreateDirectory(Path.Combine(target, name));
            PlacedFiles.TakeFolder(
                Path.Combine(RepositoryFolder.Root, "student/models/tiny-base"), Path.Combine(target, PromotedVersion.StudentFolder));
            KnownProblems.Write(Path.Combine(target, PromotedVersion.ProblemsName), trained.Select(KnownProblems.DigestOf));
            var report = new PromotionReport(PromotionOutcome.Promoted, "mine", number, null, "", []);
            return new PromotedVersion(number, "model", "file", folder["runs"], DateTimeOffset.UnixEpoch, "{}", "", report);
        });
    }
}
