using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Problems that only reinforcement asks, and twins of training problems.</summary>
public sealed class PracticeRunTests : IDisposable
{
    private static readonly string[] s_small =
    [
        "problems.families=[ { name: contradiction, level: 1 } ]", "problems.practice=500", "problems.test=3", "problems.twins=3",
        "problems.validation=3", "rl.validation_problems=3", "parity.prompts=3",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Practice_has_no_traces_and_no_problem_of_training_and_rl_asks_it_alone()
    {
        string[] practised =
        [
            "problems.families=[ { name: arithmetic, level: 2 } ]", "answer_only.enabled=false", "problems.practice=30",
            "rl.edge={ samples: 2 }", "rl.steps=1",
        ];
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Until = "rl" }, practised);
        var train = Problems("train");
        var practice = Problems("practice");
        practice.Count.ShouldBe(30);
        practice.Select(problem => problem.Signature).Intersect(train.Select(problem => problem.Signature)).ShouldBeEmpty();
        practice.ShouldAllBe(problem => problem.Split == Split.Train);
        Asked("2-traces/data").Intersect(practice.Select(problem => problem.Id)).ShouldBeEmpty();
        Asked("5-edge/data").ShouldBe(practice.Select(problem => problem.Id), ignoreOrder: true);
        observer.Done.ShouldContain("rl");

        // What was made before is used again: practice is in no key but its own and those of what asks it.
        var (_, again) = SmallRun.Run(folder, new RunOptions { Until = "rl" }, [.. practised, "problems.practice=20"]);
        again.Done.ShouldBe(["problems/practice", "edge", "rl"]);
    }

    [Fact]
    public void Training_and_practice_have_shares_of_their_own_and_no_other_problem_changes()
    {
        string[] Mixture(string hard) =>
        [
            "answer_only.enabled=false", "problems.train=40", "problems.practice=20",
            $"problems.families=[ {{ name: arithmetic, level: 1 }}, {{ name: words, level: 2{hard} }} ]",
        ];

        SmallRun.Run(folder, new RunOptions { Until = "problems" }, Mixture(""));
        CountsOf("train").ShouldBe([("arithmetic", 20), ("words", 20)]);
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Until = "problems" }, Mixture(", train_weight: 3"));
        CountsOf("train").ShouldBe([("arithmetic", 10), ("words", 30)]);
        CountsOf("practice").ShouldBe([("arithmetic", 5), ("words", 15)]);
        observer.Done.ShouldBe(["problems/train", "problems/practice"]);

        // One way to say it is as good as the other.
        var (_, again) = SmallRun.Run(folder, new RunOptions { Until = "problems" }, [.. Mixture(", weight: 3")]);
        again.Done.ShouldNotContain("problems/train");

        IEnumerable<(string, int)> CountsOf(string split) =>
            Problems(split).CountBy(problem => problem.Source).Select(count => (count.Key, count.Value)).Order();
    }

    [Fact]
    public void Twins_of_the_first_training_problems_are_trained_on_too()
    {
        SmallRun.Run(folder, new RunOptions { Until = "curated" });
        var plain = Problems("train");
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Until = "curated" }, "problems.train_twins=6");
        var train = Problems("train");
        train.Take(plain.Count).ShouldBe(plain);
        var twins = train.Skip(plain.Count).ToList();
        twins.Count.ShouldBeInRange(6, 18);
        twins.ShouldAllBe(twin => plain.Take(6).Any(original => twin.Id.StartsWith(original.Id, StringComparison.Ordinal)));
        twins.ShouldAllBe(twin => twin.Split == Split.Train);
        observer.Summaries["problems/train"].ShouldEndWith($", {twins.Count} of them twins");
        Asked("2-traces/data").ShouldBe(train.Select(problem => problem.Id), ignoreOrder: true);
    }

    [Fact]
    public void One_family_that_has_no_more_gives_what_is_left_and_says_so()
    {
        const int Train = 10;
        int all = ProblemSet.GenerateAtMost([new ProblemSetPart("contradiction", 1)], 3, Split.Train, 1000).Count;
        var (_, observer) = SmallRun.Run(
            folder, new RunOptions { Until = "problems" }, [.. s_small, $"problems.train={Train}"]);
        var practice = Problems("practice");
        // Of "yes" and "no" there are not equally many left.
        int again = practice.Select(problem => problem.Id).Intersect(Problems("train").Select(problem => problem.Id)).Count();
        (practice.Count - again).ShouldBeInRange(all / 2, all - Train);
        observer.Summaries["problems/practice"].ShouldStartWith(
            $"{practice.Count} problems to practise on, 500 were asked for{(again > 0 ? $", {again} of them training's too" : "")}");
    }

    // What reinforcement never asks is forgotten.
    [Fact]
    public void Shares_are_those_of_training_whose_problems_fill_up_where_there_are_no_others()
    {
        Problem[] trained = [.. Of("large", 6), .. Of("small", 3)], drawn = [.. Of("small", 4), .. Of("large", 100)];
        var some = PracticeProblems.Of(trained, trained, drawn, 30, 1);
        some.Problems.CountBy(problem => problem.Source).ShouldBe([new("large", 20), new("small", 4)], ignoreOrder: true);
        some.Trained.ShouldBe(3); // all that training has, and the one that is new
        some.Problems.Select(problem => problem.Id).ShouldBeUnique();
        some.Problems.Count(problem => problem.Source == "large" && trained.Contains(problem)).ShouldBe(0);
        some.Problems.ShouldBe(PracticeProblems.Of(trained, trained, drawn, 30, 1).Problems);
        var few = PracticeProblems.Of(trained, trained, drawn, 6, 1);
        few.Problems.CountBy(problem => problem.Source).ShouldBe([new("large", 4), new("small", 2)], ignoreOrder: true);
        few.Trained.ShouldBe(1);
        PracticeProblems.Of(trained, trained, trained, 30, 1).Problems.ShouldBeEmpty();
    }

    // Of a family that is drawn out only what has no solution is left.
    [Fact]
    public void An_answer_that_many_problems_have_keeps_its_share()
    {
        Problem[] trained = [.. Of("f", 60), .. Of("f", 40, "impossible")];
        Problem[] drawn = [.. trained, .. Of("f", 70).Skip(60), .. Of("f", 140, "impossible").Skip(40)];
        var practice = PracticeProblems.Of(trained, trained, drawn, 100, 1);
        practice.Problems.Count(problem => problem.ReferenceAnswer == "impossible").ShouldBe(40);
        practice.Problems.Count.ShouldBe(100);
        practice.Trained.ShouldBe(50);
        practice.Problems.Where(problem => problem.ReferenceAnswer == "impossible").ShouldAllBe(problem => !trained.Contains(problem));
    }

    // The larger a set without repeats is, the more it has of what there is most of.
    [Fact]
    public void Shares_are_those_that_a_family_usually_gives()
    {
        ProblemSetPart[] parts = [new("countdown", 1)];
        var trained = ProblemSet.Generate(parts, 3, Split.Train, 2000);
        var usual = ProblemSet.AsTheyCome(parts, 3, Split.Train, 4000);
        Share(trained).ShouldBeGreaterThan(2 * Share(usual));
        var drawn = ProblemSet.Generate(parts, 3, Split.Train, 3000);
        var practice = PracticeProblems.Of(trained, usual, drawn, 400, 1);
        Share(practice.Problems).ShouldBe(Share(usual), 0.01);
        practice.Problems.Select(problem => problem.Signature).ShouldBeUnique();

        static double Share(IReadOnlyList<Problem> problems) =>
            (double)problems.Count(problem => problem.ReferenceAnswer == "impossible") / problems.Count;
    }

    private static IEnumerable<Problem> Of(string source, int count, string? answer = null) => Enumerable.Range(0, count).Select(
        i => new Problem($"{source}/{i}{answer}", source, "d", Split.Train, 1, "", answer ?? $"{i}", null, $"{source} {i} {answer}"));

    [Fact]
    public void What_nobody_asks_or_nobody_has_is_refused()
    {
        Refused("problems.practice=5", "rl.steps=0").ShouldBe(["problems.practice"]);
        Refused("problems.train=10", "problems.train_twins=11").ShouldBe(["problems.train_twins"]);
        Refused("problems.practice=9", "rl.edge={ problems: 10 }").ShouldBe(["rl.edge.problems"]);
        ((DistillationRecipe)SmallRun.Parse("problems.practice=9", "rl.edge={}")).Rl.Edge!.Problems.ShouldBe(9);
        int all = ProblemSet.GenerateAtMost([new ProblemSetPart("contradiction", 1)], 3, Split.Train, 1000).Count;
        var none = SmallRun.Parse([.. s_small, $"problems.train={all}"]);
        Should.Throw<InvalidRecipeException>(() => RecipePreflight.Require(none, makesStudent: true)).Problems
            .ShouldHaveSingleItem().Path.ShouldBe("problems.practice");

        static IEnumerable<string> Refused(params string[] overrides) =>
            Should.Throw<InvalidRecipeException>(() => SmallRun.Parse(overrides)).Problems.Select(problem => problem.Path);
    }

    private IReadOnlyList<Problem> Problems(string split) =>
        [.. ProblemFile.Read(Path.Combine(folder.Path, $"small/1-problems/{split}", ProblemsStage.FileName))];

    private IEnumerable<string> Asked(string traces) => Directory.GetFiles(Path.Combine(folder.Path, "small", traces), "*.parquet")
        .SelectMany(TraceFile.ReadTexts).Select(trace => trace.Problem.Id).Distinct();
}
