using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

public sealed class ProblemSetTests
{
    [Fact]
    public void Shares_are_exact_and_rounding_goes_to_the_largest_remainders()
    {
        ProblemSetPart[] parts = [new("arithmetic", 1, 1), new("words", 2, 2.5), new("knights", 3, 3)];

        var counts = ProblemSet.Generate(parts, 5, Split.Train, 100).CountBy(problem => (problem.Source, problem.Level)).ToDictionary();

        // 15.38, 38.46, 46.15
        counts.Count.ShouldBe(3);
        (counts[("arithmetic", 1)], counts[("words", 2)], counts[("knights", 3)]).ShouldBe((15, 39, 46));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(101)]
    public void A_set_has_as_many_problems_as_asked_for(int count)
    {
        ProblemSetPart[] parts = [new("arithmetic", 1, 0.1), new("arithmetic", 2, 0.2), new("words", 1, 0.7)];

        ProblemSet.Generate(parts, 5, Split.Test, count).Count.ShouldBe(count);
    }

    [Fact]
    public void A_set_follows_from_its_arguments()
    {
        ProblemSetPart[] parts = [new("arithmetic", 1), new("contradiction", 2)];
        var expected = ProblemSet.Generate(parts, 5, Split.Test, 40);

        ProblemSet.Generate(parts, 5, Split.Test, 40).ShouldBe(expected);
        ProblemSet.Generate(parts, 6, Split.Test, 40).ShouldNotBe(expected);
        expected.ShouldAllBe(problem => problem.Split == Split.Test);
    }

    [Fact]
    public void Families_are_mixed_rather_than_one_after_the_other()
    {
        var problems = ProblemSet.Generate([new("arithmetic", 1), new("words", 1)], 5, Split.Train, 100);
        var families = problems.Select(problem => problem.Source).ToArray();

        families.Zip(families.Skip(1)).Count(pair => pair.First != pair.Second).ShouldBeInRange(30, 70);
    }

    [Fact]
    public void No_signature_comes_twice()
    {
        // So many of the few problems with two people that repeats must have been drawn.
        var problems = ProblemSet.Generate([new("knights", 1)], 5, Split.Train, 80);

        problems.Select(problem => problem.Signature).Distinct().Count().ShouldBe(80);
        problems.Max(problem => ProblemId.TryParse(problem.Id)!.Index).ShouldBeGreaterThan(80);
    }

    /// <summary>All parts of a set share what was drawn.</summary>
    [Fact]
    public void No_signature_comes_twice_where_two_levels_of_a_family_meet()
    {
        var problems = ProblemSet.Generate([new("knights", 1), new("knights", 2, 50)], 5, Split.Train, 2040);

        problems.Select(problem => problem.Signature).Distinct().Count().ShouldBe(2040);
    }

    [Fact]
    public void A_family_that_has_fewer_problems_says_how_many() =>
        Should.Throw<ArgumentException>(() => ProblemSet.Generate([new("knights", 1)], 5, Split.Train, 5000))
            .Message.ShouldContain("knights level 1 has only about");

    /// <summary>What is said before the draw is what the draw then says, on both sides of the border and at it.</summary>
    [Theory]
    [InlineData("knights 1", Split.Test)]
    [InlineData("contradiction 1", Split.Validation)]
    [InlineData("contradiction 1, contradiction 2", Split.Test)]
    [InlineData("arithmetic 1, knights 1", Split.Validation)]
    public void A_shortage_is_found_exactly_where_drawing_falls_short(string families, Split split)
    {
        ProblemSetPart[] parts =
            [.. families.Split(", ").Select(part => part.Split(' ')).Select(part => new ProblemSetPart(part[0], int.Parse(part[1])))];
        var smallest = ProblemSet.FindShortages(parts, 5, split, 20_000)
            .Min(shortage => int.Parse(shortage.Split("has only about ")[1].Split(' ')[0]));
        var (enough, tooMany) = (smallest * parts.Length, (smallest + 1) * parts.Length);

        ProblemSet.FindShortages(parts, 5, split, enough).ShouldBeEmpty();
        ProblemSet.Generate(parts, 5, split, enough).Count.ShouldBe(enough);
        var said = ProblemSet.FindShortages(parts, 5, split, tooMany).ShouldHaveSingleItem();
        Should.Throw<ArgumentException>(() => ProblemSet.Generate(parts, 5, split, tooMany)).Message.ShouldStartWith(said);
    }

    [Fact]
    public void Every_family_that_falls_short_is_named_at_once_with_what_to_do()
    {
        ProblemSetPart[] parts = [new("knights", 1), new("arithmetic", 1), new("contradiction", 1)];

        var shortages = ProblemSet.FindShortages(parts, 5, Split.Test, 3000);

        shortages.Count.ShouldBe(2);
        shortages[0].ShouldStartWith("knights level 1 has only about ");
        shortages[0].ShouldEndWith("1000 were asked for: ask for fewer, lower its weight, or take a higher level.");
        shortages[1].ShouldStartWith("contradiction level 1 has only about ");
    }

    /// <summary>Ample means: hardly a repeat in a row, where 2,000 in a row would be the end, and so the same with every seed.</summary>
    [Theory]
    [MemberData(nameof(FamilySamples.Levels), MemberType = typeof(FamilySamples))]
    public void What_a_family_says_it_has_is_found_easily(string name, int level)
    {
        var family = ProblemFamilies.Get(name);
        family.AmpleProblems(level).ShouldBeGreaterThanOrEqualTo(name is "knights" or "contradiction" && level == 1 ? 20 : 200);
        foreach (var (split, count) in new[] { (Split.Train, family.AmpleProblems(level)), (Split.Test, family.AmpleProblems(level) / 10) })
        {
            var signatures = new HashSet<string>();
            var (repeats, most) = (0, 0);
            for (long index = 0; signatures.Count < count; index++)
            {
                repeats = signatures.Add(family.Generate(3, index, split, level).Signature) ? 0 : repeats + 1;
                most = Math.Max(most, repeats);
            }

            most.ShouldBeLessThan(150, $"{name} {level} {split}");
        }
    }

    [Theory]
    [InlineData("chess", 1, 1.0, "'chess'")]
    [InlineData("words", 0, 1.0, "levels 1 to 3, not 0")]
    [InlineData("words", 4, 1.0, "levels 1 to 3, not 4")]
    [InlineData("words", 1, 0.0, "must be above 0")]
    [InlineData("words", 1, -1.0, "must be above 0")]
    [InlineData("words", 1, double.NaN, "must be above 0")]
    [InlineData("words", 1, double.PositiveInfinity, "must be above 0")]
    [InlineData("arithmetic", 1, 1.0, "named twice")]
    [InlineData("words", 1, double.MaxValue, "too large")]
    public void A_part_that_makes_no_sense_is_named(string family, int level, double weight, string reason)
    {
        ProblemSetPart[] parts = [new("arithmetic", 1, weight > 1e300 ? weight : 1), new(family, level, weight)];

        Should.Throw<ArgumentException>(() => ProblemSet.Generate(parts, 5, Split.Train, 10)).Message.ShouldContain(reason);
        Should.Throw<ArgumentException>(() => ProblemSet.FindShortages(parts, 5, Split.Train, 10)).Message.ShouldContain(reason);
    }

    [Fact]
    public void A_set_of_nothing_is_refused()
    {
        Should.Throw<ArgumentException>(() => ProblemSet.Generate([], 5, Split.Train, 10)).Message.ShouldContain("at least one family");
        Should.Throw<ArgumentOutOfRangeException>(() => ProblemSet.Generate([new("words", 1)], 5, Split.Train, -1));
    }
}
