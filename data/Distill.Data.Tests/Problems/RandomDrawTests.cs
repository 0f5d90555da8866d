using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

/// <summary>The generators under all problems, against published values: what changes here changes every problem.</summary>
public sealed class RandomDrawTests
{
    /// <summary>First outputs of SplitMix64 for the seed 1234567, as listed for the reference implementation by Vigna.</summary>
    [Fact]
    public void Mixing_is_that_of_SplitMix64()
    {
        const ulong step = 0x9E3779B97F4A7C15;

        Enumerable.Range(1, 5).Select(i => StableHash.Mix(1234567 + ((ulong)i * step))).ShouldBe(
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]);
    }

    /// <summary>FNV-1a of the bytes <c>61 00</c> is computed here step by step; the empty text gives the published offset.</summary>
    [Fact]
    public void Hashing_is_fnv_1a_over_both_bytes_of_every_unit()
    {
        const ulong offset = 0xCBF29CE484222325, prime = 0x100000001B3;

        StableHash.Of("").ShouldBe(offset);
        StableHash.Of("a").ShouldBe(unchecked((offset ^ 0x61) * prime * prime));
        StableHash.Of("\u0161").ShouldBe(unchecked((((offset ^ 0x61) * prime) ^ 0x01) * prime));
    }

    [Fact]
    public void A_stream_is_pinned()
    {
        var random = new RandomSource("owner", "purpose", 7, 41);

        Enumerable.Range(0, 8).Select(_ => random.Below(1000)).ShouldBe([751, 353, 125, 556, 890, 972, 662, 819]);
        random.Sample(["a", "b", "c", "d", "e"], 3).ShouldBe(["a", "e", "d"]);
        Enumerable.Range(0, 8).Select(_ => random.Chance(50) ? 1 : 0).ShouldBe([1, 1, 0, 1, 1, 0, 1, 0]);
        random.Next().ShouldBe(5868763373528475230UL);
    }

    [Fact]
    public void Owner_purpose_seed_and_index_each_open_another_stream() => new[]
    {
        new RandomSource("a", "b", 1, 2), new RandomSource("b", "a", 1, 2), new RandomSource("a", "b", 2, 1),
        new RandomSource("a", "b", 1, 3), new RandomSource("ab", "", 1, 2), new RandomSource("a", "b", 2, 2),
    }.Select(random => random.Next()).ShouldBeUnique();

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    public void Draws_below_a_bound_are_even(int bound)
    {
        var random = new RandomSource("even", "", 1, 0);
        var counts = Enumerable.Range(0, 3000 * bound).CountBy(_ => random.Below(bound)).ToDictionary();

        counts.Keys.Order().ShouldBe(Enumerable.Range(0, bound));
        // Five standard deviations of a count are about 270.
        counts.Values.ShouldAllBe(count => count > 2700 && count < 3300);
    }

    [Fact]
    public void Bounds_are_included_and_empty_ranges_refused()
    {
        var random = new RandomSource("bounds", "", 1, 0);

        Enumerable.Range(0, 200).Select(_ => random.Between(-1, 1)).Distinct().Order().ShouldBe([-1, 0, 1]);
        Enumerable.Range(0, 200).Select(_ => random.Between(5, 5)).ShouldAllBe(value => value == 5);
        Should.Throw<ArgumentOutOfRangeException>(() => random.Below(0));
        Should.Throw<ArgumentOutOfRangeException>(() => random.Between(2, 1));
    }

    [Fact]
    public void Every_order_of_a_shuffle_is_as_likely()
    {
        var random = new RandomSource("shuffle", "", 1, 0);
        var counts = Enumerable.Range(0, 6000).CountBy(_ => string.Concat(random.Sample(["a", "b", "c"], 3))).ToDictionary();

        counts.Count.ShouldBe(6);
        counts.Values.ShouldAllBe(count => count > 840 && count < 1160);
    }

    [Fact]
    public void The_first_result_counts_and_dead_ends_end()
    {
        var random = new RandomSource("first", "", 1, 0);
        var tries = 0;

        random.FirstOf(10, _ => ++tries == 4 ? "found" : null).ShouldBe("found");
        tries.ShouldBe(4);
        random.FirstOf(3, _ => tries++ < 0 ? "" : null).ShouldBeNull();
        tries.ShouldBe(7);
    }
}
