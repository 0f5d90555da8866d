using CsCheck;
using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Selection;

namespace Distill.Data.Tests.Sources;

public sealed class ProblemPoolTests
{
    [Fact]
    public void Splits_follow_from_the_questions_and_stay_when_the_file_grows_or_is_sorted_anew()
    {
        var rows = PoolSamples.Questions(600);
        var before = PoolSamples.Splits(PoolSamples.Gather(null, new PoolSource(new ListedSource("own", rows[..400]))));
        var after = PoolSamples.Splits(PoolSamples.Gather(null, new PoolSource(new ListedSource("own", [.. rows.Reverse()]))));

        before.Count.ShouldBeGreaterThan(390);
        foreach (var (text, split) in before.Where(pair => after.ContainsKey(pair.Key))) after[text].ShouldBe(split);
        before.Values.CountBy(split => split).ToDictionary()[Split.Train].ShouldBeInRange(290, 350);
    }

    [Fact]
    public void A_question_that_comes_twice_counts_once_and_the_first_stays()
    {
        var pool = PoolSamples.Gather(null,
            new PoolSource(new ListedSource("a", ("What is  this?", "1"), ("Other?", "2"))),
            new PoolSource(new ListedSource("b", ("what is this?", "1"), ("OTHER?", "3"))));

        pool.All().Select(problem => problem.Id.Split('/')[0]).ShouldBe(["a", "a"]);
        pool.Dropped.Select(row => $"{row.Reason}: {row.Detail}").ShouldBe(
        [
            "duplicate: the question is that of a.jsonl, line 1",
            "duplicate: the question is that of a.jsonl, line 2, with another answer ('2')",
        ], ignoreOrder: true);
    }

    [Fact]
    public void Of_a_held_out_question_and_its_like_the_training_problem_goes()
    {
        const string Long =
            "A farmer has seventeen brown cows and buys twelve more at the spring market before he sells nine of them, how many are left?";
        var pool = PoolSamples.Gather(null,
            new PoolSource(new ListedSource("train",
                (Long.Replace("A farmer", "One farmer"), "21"), // nearly alike
                ("Before lunch he said: buys twelve more at the spring market before he leaves. Why?", "x"), // shares words
                ("Something else entirely?", "y"))) { Goes = Split.Train },
            new PoolSource(new ListedSource("test", (Long, "20"))) { Goes = Split.Test });

        pool.All().Select(problem => (problem.Source, problem.Split)).ShouldBe([("train", Split.Train), ("test", Split.Test)]);
        pool.Dropped.Select(row => row.Reason).ShouldBe([DropReason.HeldOut, DropReason.SharedPhrase], ignoreOrder: true);
        pool.Dropped.ShouldAllBe(row => row.Detail.Contains("test.jsonl, line 1 (test)"));
        pool.Reports[0].Dropped.Values.Sum().ShouldBe(2);
        pool.Reports[1].Dropped.ShouldBeEmpty();
    }

    [Fact]
    public void The_same_question_in_train_and_test_leaves_train_whatever_its_place()
    {
        var pool = PoolSamples.Gather(null,
            new PoolSource(new ListedSource("train", ("Who?", "me"))) { Goes = Split.Train },
            new PoolSource(new ListedSource("test", ("who?", "me"))) { Goes = Split.Test });

        pool.All().ShouldHaveSingleItem().Split.ShouldBe(Split.Test);
        pool.Dropped.ShouldHaveSingleItem().Reason.ShouldBe(DropReason.HeldOut);
    }

    [Fact]
    public void Within_a_split_a_long_text_with_another_number_and_answer_is_another_problem()
    {
        string Text(int cows) => $"A farmer who lives by the river has {cows} brown cows and his neighbour has twice as many of them "
            + "plus three "
            + "more that are black, and both bring all of their cows to the spring market in the valley. How many cows come?";
        PoolSource Source(params (string, string)[] rows) => new(new ListedSource("own", rows), Split.Train);

        PoolSamples.Gather(null, Source((Text(7), "24"), (Text(8), "27"))).All().Count().ShouldBe(2);
        PoolSamples.Gather(null, Source((Text(7), "24"), (Text(7).Replace("brown", "red"), "24"))).Dropped.ShouldHaveSingleItem()
            .Reason.ShouldBe(DropReason.NearDuplicate);
        PoolSamples.Gather(new PoolOptions { NearDuplicates = 1 }, Source((Text(7), "24"), (Text(7).Replace("brown", "red"), "24")))
            .Dropped.ShouldBeEmpty();
    }

    [Fact]
    public void What_many_training_questions_say_is_the_source_s_way_of_asking()
    {
        string Text(int i) => $"Number {i}: what is the sum of all digits of the number {i * 7919}?";
        PoolSource Train(int count) =>
            new(new ListedSource("own", [.. Enumerable.Range(1, count).Select(i => (Text(i), $"{i}"))]), Split.Train);
        PoolSource test = new(new ListedSource("test", (Text(1000), "x")), Split.Test);
        var options = new PoolOptions { NearDuplicates = 1 };

        PoolSamples.Gather(options, Train(5), test).Dropped.Count.ShouldBe(5);
        PoolSamples.Gather(options, Train(6), test).Dropped.ShouldBeEmpty();
        PoolSamples.Gather(options with { SharedWords = 0 }, Train(5), test).Dropped.ShouldBeEmpty();
    }

    [Fact]
    public void What_is_kept_away_is_asked_of_nobody_and_leaves_nothing_like_it()
    {
        var pool = PoolSamples.Gather(null,
            new PoolSource(new ListedSource("own",
                ("Which planet is the largest one of them all in our solar system?", "Jupiter"), ("Who?", "me")),
                Split.Train),
            new PoolSource(new ListedSource("benchmark", ("Tell me: planet is the largest one of them all in our solar system, yes?", "-")))
                { IsKeptAway = true });

        pool.All().ShouldHaveSingleItem().Text.ShouldBe("Who?");
        pool.Dropped.ShouldHaveSingleItem().Detail.ShouldContain("benchmark.jsonl, line 1 (kept away)");
    }

    [Fact]
    public void A_split_that_a_source_brings_is_held_out_of_no_other()
    {
        var rows = PoolSamples.Questions(200);
        var pool = PoolSamples.Gather(null, new PoolSource(new ListedSource("own", rows)),
            new PoolSource(new ListedSource("mine", PoolSamples.Questions(20, 5000))) { Goes = Split.Test });

        pool.Of(0, Split.Test).ShouldBeEmpty();
        pool.Of(0, Split.Validation).ShouldNotBeEmpty();
        pool.Of(1, Split.Test).Count().ShouldBeGreaterThan(15);
    }

    [Fact]
    public void Bad_rows_and_golds_that_cannot_be_read_are_named_all_together_or_counted()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("own.jsonl", """
            {"question":"q1","answer":"1"}
            {"question":"q2"}
            {"question":"q3","answer":"not a number"}
            """);
        var source = new PoolSource(SourceReading.Source(path, new RowReading { Verifier = "integer" }));

        var fault = Should.Throw<BadRowsException>(() => PoolSamples.Gather(null, source));
        fault.Count.ShouldBe(2);
        fault.Faults[0].ShouldStartWith("own.jsonl, line 2: no answer");
        fault.Faults[1].ShouldStartWith("own.jsonl, line 3: 'not a number': ");
        var pool = PoolSamples.Gather(new PoolOptions { SkipsBadRows = true }, source);
        pool.All().ShouldHaveSingleItem();
        (pool.Reports[0].Rows, pool.Reports[0].Bad).ShouldBe((3, 2));
    }

    [Fact]
    public void Nearly_equal_questions_are_found_and_others_are_not() =>
    Gen.Select(Gen.Int[0, 1000], Gen.Int[1, 6]).Sample((seed, changes) =>
    {
        string[] words = [.. PoolSamples.Questions(8, seed * 10).SelectMany(row => row.Question.Split(' '))];
        string[] changed = [.. words];
        for (int i = 0; i < changes; i++) changed[((i * 31) + seed) % words.Length] = $"other{i}";
        string one = string.Join(' ', words), other = string.Join(' ', changed);
        double similarity = Jaccard(one, other);
        var near = new NearDuplicates(0.8, 10, _ => one);
        near.Find(one, _ => true);
        near.AddLast(0);

        var found = near.Find(other, _ => true);

        if (found is { } hit) hit.Similarity.ShouldBe(similarity, 1e-9);
        if (similarity < 0.8) found.ShouldBeNull();
        if (similarity > 0.9) found.ShouldNotBeNull();
    }, iter: 300);

    private static double Jaccard(string one, string other)
    {
        List<ulong> first = [], second = [];
        QuestionWords.Runs(one, 3, symbols: true, shorter: true, first);
        QuestionWords.Runs(other, 3, symbols: true, shorter: true, second);
        return (double)first.Intersect(second).Count() / first.Union(second).Count();
    }

    [Theory]
    [InlineData("What is 3 + 4?", "What is 3 * 4?")]
    [InlineData("Solve x^2 = 4", "Solve x^3 = 4")]
    public void Marks_of_mathematics_are_words_too(string one, string other) => Jaccard(one, other).ShouldBeLessThan(0.7);
}
