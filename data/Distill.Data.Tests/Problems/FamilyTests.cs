using Distill.Data.Problems;
using Distill.Data.Tests.Problems.Oracles;
using Distill.Verification;

namespace Distill.Data.Tests.Problems;

/// <summary>What holds for the problems of every family and level, twins included.</summary>
public sealed class FamilyTests
{
    public static TheoryData<string> Families => FamilySamples.Families;

    public static TheoryData<string, int> Levels => FamilySamples.Levels;

    [Theory]
    [MemberData(nameof(Levels))]
    public void The_verifier_accepts_the_reference_answer(string family, int level)
    {
        var verifier = ProblemFamilies.Get(family).Verifier;

        FamilySamples.WithTwins(family, level).ShouldAllBe(problem => verifier.Verify(problem.ReferenceAnswer, problem) == Verdict.Correct);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void The_reference_answer_is_right_by_the_words_of_the_problem(string family, int level)
    {
        var oracle = Oracle.Of(family);

        FamilySamples.WithTwins(family, level).ShouldAllBe(problem => oracle.Accepts(problem.Text, problem.ReferenceAnswer));
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void The_reference_solution_is_true_and_leads_to_the_answer(string family, int level)
    {
        var oracle = Oracle.Of(family);

        foreach (var problem in FamilySamples.WithTwins(family, level))
            oracle.CheckSteps(problem);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Facts_are_true_and_many(string family)
    {
        var oracle = Oracle.Of(family);
        var facts = Enumerable.Range(0, 1000).Select(index => ProblemFamilies.Get(family).Fact(FamilySamples.Seed, index)).ToArray();

        facts.ShouldAllBe(fact => oracle.IsTrue(fact));
        facts.Distinct().Count().ShouldBeGreaterThan(100);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void The_same_arguments_give_the_same_problem_on_every_thread(string name, int level)
    {
        var expected = FamilySamples.Of(name, level);
        var family = ProblemFamilies.Get(name);

        // Backwards and two at a time, so that state left by one draw for the next would show.
        Parallel.For(0, expected.Count / 5, new ParallelOptions { MaxDegreeOfParallelism = 2 }, step =>
        {
            var (problem, twins) = expected[expected.Count - 1 - (5 * step)];
            var id = ProblemId.TryParse(problem.Id)!;
            family.Generate(id.Seed, id.Index, id.Split, id.Level).ShouldBe(problem);
            family.Twins(problem).ShouldBe(twins);
            family.Fact(id.Seed, id.Index).ShouldBe(family.Fact(id.Seed, id.Index));
        });
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Seed_index_and_split_each_change_what_is_drawn(string name, int level)
    {
        var family = ProblemFamilies.Get(name);
        string[] Texts(ulong seed, long first, Split split) =>
            Enumerable.Range(0, 5).Select(i => family.Generate(seed, first + i, split, level).Text).ToArray();
        var texts = Texts(1, 0, Split.Train);

        Texts(2, 0, Split.Train).ShouldNotBe(texts);
        Texts(1, 5, Split.Train).ShouldNotBe(texts);
        Texts(1, 0, Split.Test).ShouldNotBe(texts);
        Texts(ulong.MaxValue, long.MaxValue - 5, Split.Validation).ShouldNotBe(texts);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_problem_carries_where_it_comes_from(string name, int level)
    {
        var family = ProblemFamilies.Get(name);
        var samples = FamilySamples.Of(name, level);

        var problems = samples.Select(sample => sample.Problem).ToArray();

        problems.ShouldAllBe(problem => problem.Source == name && problem.Domain == family.Domain && problem.Level == level);
        problems.Select(problem => problem.Id).ShouldBe(
            from split in new[] { "train", "validation", "test" }
            from index in Enumerable.Range(0, FamilySamples.Count)
            select $"{name}/{level}/{split}/{FamilySamples.Seed}/{index:D6}");
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Texts_are_words_parted_by_single_spaces_without_control_tokens(string family, int level) =>
        FamilySamples.WithTwins(family, level)
            .SelectMany(problem => new[] { problem.Text, problem.ReferenceSolution!, problem.ReferenceAnswer })
            .ShouldAllBe(text => text.Split(' ', StringSplitOptions.None).All(word => word.Length > 0 && word.All(IsPlain)));

    [Theory]
    [MemberData(nameof(Families))]
    public void Arguments_outside_the_family_are_refused(string name)
    {
        var family = ProblemFamilies.Get(name);

        Should.Throw<ArgumentOutOfRangeException>(() => family.Generate(1, 0, Split.Train, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => family.Generate(1, 0, Split.Train, family.MaxLevel + 1));
        Should.Throw<ArgumentOutOfRangeException>(() => family.Generate(1, -1, Split.Train, 1));
        Should.Throw<ArgumentOutOfRangeException>(() => family.Generate(1, 0, (Split)3, 1));
    }

    [Fact]
    public void An_unknown_family_is_refused_with_the_names_of_those_there_are()
    {
        ProblemFamilies.TryGet("chess").ShouldBeNull();
        Should.Throw<ArgumentException>(() => ProblemFamilies.Get("chess")).Message
            .ShouldContain("'chess'. Known: "
                + "arithmetic, words, countdown, knights, contradiction, zebra, syllogisms, units, calendar, sequences, "
                + "consistency.");
    }

    private static bool IsPlain(char unit) => char.IsAsciiLetterLower(unit) || char.IsAsciiDigit(unit) || "+-*/=()<>.,;:?".Contains(unit);
}
