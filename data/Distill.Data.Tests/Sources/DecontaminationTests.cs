using Distill.Data.Problems;
using Distill.Data.Sources.Selection;

namespace Distill.Data.Tests.Sources;

/// <summary>What of a pool comes too near to questions of other splits, where that is hard to see.</summary>
public sealed class DecontaminationTests
{
    private const string Shared = "buys twelve more at the spring market before he";

    [Fact]
    public void A_copy_of_a_test_question_is_found_among_thousands_from_the_same_template()
    {
        string Text(string name, int cows) => $"A farmer called {name} who lives by the river has {cows} brown cows and his neighbour has "
            + "twice as many of them plus three more that are black, and both bring all of their cows to the spring market in the valley "
            + "on a fine morning, where they sell a third of them to a man from the city. How many cows go home again?";
        var train = Enumerable.Range(0, 1500).Select(i => (Text("Ada", i), $"{i}")).ToArray();
        var test = Enumerable.Range(0, 600).Select(i => (Text("Ben", 5000 + i), $"{9000 + i}")).ToArray();
        var near = new NearDuplicates(0.8, 5000, i => i < test.Length ? test[i].Item1 : train[i - test.Length].Item1);
        foreach (var (i, (text, _)) in test.Index()) Add(near, text, i, isHeldOut: true);
        foreach (var (i, (text, _)) in train.Index()) Add(near, text, test.Length + i, isHeldOut: false);

        foreach (int copied in (int[])[0, 300, 599])
        {
            var found = near.Find(test[copied].Item1.Replace("fine", "cold", StringComparison.Ordinal), _ => true);
            found!.Value.Number.ShouldBe(copied);
        }

        static void Add(NearDuplicates near, string text, int number, bool isHeldOut)
        {
            near.Find(text, _ => false);
            near.AddLast(number, isHeldOut);
        }
    }

    [Fact]
    public void The_like_of_a_test_question_leaves_training_however_many_questions_stand_between()
    {
        const string Long = "A farmer who lives by the river has many brown cows and his neighbour has twice as many of them plus three "
            + "more that are black, and both bring all of their cows to the spring market in the valley. How many cows come on day";
        var train = Enumerable.Range(0, 400).Select(i => ($"{Long} {i}?", $"{i}")).Append(($"{Long} nine?", "x")).ToArray();
        var pool = PoolSamples.Gather(new PoolOptions { SharedWords = 0 },
            new PoolSource(new ListedSource("train", train)) { Goes = Split.Train },
            new PoolSource(new ListedSource("test", ($"{Long} ten?", "y"))) { Goes = Split.Test });

        pool.Of(0, Split.Train).ShouldBeEmpty();
        pool.Dropped.ShouldAllBe(row => row.Reason == DropReason.HeldOut);
    }

    [Fact]
    public void Texts_without_spaces_are_compared_too()
    {
        const string Test = "小明有十二个苹果他给了小红五个苹果又从市场买了八个苹果请问他现在一共有多少个苹果";
        string nearly = Test.Replace("小红", "小兰", StringComparison.Ordinal);
        const string Sharing = "老师说他给了小红五个苹果又从市场回来了为什么";
        PoolSource test = new(new ListedSource("test", (Test, "15")), Split.Test);

        var pool = PoolSamples.Gather(null, test,
            new PoolSource(new ListedSource("train", (nearly, "15"), (Sharing, "x"), ("今天的天气很好我们去公园散步吧", "y")), Split.Train));

        pool.Dropped.Select(row => row.Reason).ShouldBe([DropReason.HeldOut, DropReason.SharedPhrase], ignoreOrder: true);
        pool.Of(1, Split.Train).ShouldHaveSingleItem().ReferenceAnswer.ShouldBe("y");
    }

    [Theory]
    [InlineData("\U00010400\U00010401 x", "\U00010428\U00010429 x", true)] // Deseret: a word in both cases
    [InlineData("\U00020000\U00020001", "\U00020001\U00020000", false)]
    [InlineData("漢字", "漢 字", true)]
    [InlineData("a漢", "a 漢", true)]
    public void Letters_beyond_the_first_plane_are_words(string one, string other, bool areEqual)
    {
        List<ulong> first = [], second = [];
        QuestionWords.Runs(one, 2, symbols: false, shorter: false, first);
        QuestionWords.Runs(other, 2, symbols: false, shorter: false, second);

        first.ShouldHaveSingleItem();
        second.SequenceEqual(first).ShouldBe(areEqual);
    }

    [Fact]
    public void A_phrase_holds_between_all_splits_and_what_is_kept_away()
    {
        PoolSource Of(string name, string text, Split split, bool isKeptAway = false) =>
            new(new ListedSource(name, (text, name)), split) { IsKeptAway = isKeptAway };
        var benchmark = Of("benchmark", $"One {Shared} rests there?", Split.Train, isKeptAway: true);
        var test = Of("test", $"Two people say that he {Shared} came home?", Split.Test);
        var validation = Of("validation", $"Three of us heard: {Shared} went away?", Split.Validation);

        Dropped(benchmark, test).ShouldBe(["test: benchmark.jsonl, line 1 (kept away)"]);
        Dropped(benchmark, validation).ShouldBe(["validation: benchmark.jsonl, line 1 (kept away)"]);
        Dropped(validation, test).ShouldBe(["validation: test.jsonl, line 1 (test)"]);
        Dropped(validation, test, Of("train", $"Four {Shared} is back?", Split.Train)).Count.ShouldBe(2);

        static List<string> Dropped(params PoolSource[] sources) => [.. PoolSamples.Gather(null, sources).Dropped
            .Where(row => row.Reason == DropReason.SharedPhrase)
            .Select(row => $"{row.Source}: {row.Detail[(row.Detail.IndexOf("of ", StringComparison.Ordinal) + 3)..]}")];
    }

    [Fact]
    public void What_many_training_questions_say_takes_nothing_out_of_validation()
    {
        PoolSource Of(string name, int count, Split split) => new(new ListedSource(name,
            [.. Enumerable.Range(1, count).Select(i => ($"{name}{i}: {Shared} {name} {i * 7919}?", $"{i}"))]), split);
        var options = new PoolOptions { NearDuplicates = 1 };

        PoolSamples.Gather(options, Of("test", 1, Split.Test), Of("validation", 1, Split.Validation), Of("train", 9, Split.Train))
            .Dropped.ShouldBeEmpty();
        PoolSamples.Gather(options, Of("test", 1, Split.Test), Of("validation", 1, Split.Validation)).Dropped.ShouldHaveSingleItem();
    }
}
