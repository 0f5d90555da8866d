using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

public sealed class SplitTests
{
    public static TheoryData<string, int> Levels => FamilySamples.Levels;

    [Theory]
    [MemberData(nameof(Levels))]
    public void The_splits_of_different_seeds_share_no_signature(string name, int level)
    {
        var family = ProblemFamilies.Get(name);
        var draws = name is "countdown" or "zebra" && level == 3 ? 80 : 200;
        HashSet<string> Signatures(ulong seed, Split split) =>
            [.. Enumerable.Range(0, draws).Select(index => family.Generate(seed, index, split, level).Signature)];

        var train = Signatures(1, Split.Train);
        var validation = Signatures(2, Split.Validation);
        var test = Signatures(3, Split.Test);

        train.Overlaps(validation).ShouldBeFalse();
        train.Overlaps(test).ShouldBeFalse();
        validation.Overlaps(test).ShouldBeFalse();
        // With two people, or four to six in one order, little can be said.
        var least = name is "knights" or "contradiction" && level == 1 ? 2 : 10;
        new[] { train.Count, validation.Count, test.Count }.Min().ShouldBeGreaterThan(least);
        train.Concat(validation).Concat(test).ShouldAllBe(signature => signature.StartsWith($"{name}:"));
    }

    /// <summary>Where there are few problems, all seeds draw the same ones: a split by anything but the question would overlap.</summary>
    [Fact]
    public void Seeds_of_one_split_do_share_signatures()
    {
        var family = ProblemFamilies.Get("knights");
        HashSet<string> Signatures(ulong seed) =>
            [.. Enumerable.Range(0, 100).Select(index => family.Generate(seed, index, Split.Test, 1).Signature)];

        Signatures(1).Overlaps(Signatures(2)).ShouldBeTrue();
    }

    /// <summary>By construction: the signature alone decides, so no family, seed or count can bring two splits together.</summary>
    [Theory]
    [MemberData(nameof(Levels))]
    public void The_split_of_a_problem_is_that_of_its_signature(string family, int level) =>
        FamilySamples.WithTwins(family, level).ShouldAllBe(problem => SplitRule.Of(problem.Signature) == problem.Split);

    [Fact]
    public void A_tenth_of_all_signatures_is_for_validation_and_a_tenth_for_test()
    {
        var counts = Enumerable.Range(0, 20_000).Select(i => SplitRule.Of($"words:Start.{i}.0")).CountBy(split => split).ToDictionary();

        counts[Split.Train].ShouldBeInRange(15_700, 16_300);
        counts[Split.Validation].ShouldBeInRange(1_800, 2_200);
        counts[Split.Test].ShouldBeInRange(1_800, 2_200);
    }

    /// <summary>Models and test sets exist: a signature that changed its split would put trained problems into the test set.</summary>
    [Theory]
    [InlineData("", Split.Train)]
    [InlineData("countdown:3 5 8=16", Split.Train)]
    [InlineData("arithmetic:7+5", Split.Validation)]
    [InlineData("words:Start.5.0 Gain.3.0", Split.Validation)]
    [InlineData("arithmetic:6+2", Split.Test)]
    [InlineData("arithmetic:17+2", Split.Test)]
    [InlineData("contradiction:above.ab", Split.Train)]
    public void A_signature_never_changes_its_split(string signature, Split split) => SplitRule.Of(signature).ShouldBe(split);

    [Fact]
    public void Words_for_splits_read_back()
    {
        foreach (var split in Enum.GetValues<Split>())
        {
            SplitRule.TryParse(SplitRule.Word(split), out var read).ShouldBeTrue();
            read.ShouldBe(split);
        }

        foreach (var word in new[] { null, "", "Train", "dev", "train " })
            SplitRule.TryParse(word, out _).ShouldBeFalse();
        Should.Throw<ArgumentOutOfRangeException>(() => SplitRule.Word((Split)7));
    }
}
