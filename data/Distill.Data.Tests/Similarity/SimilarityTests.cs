using CsCheck;
using Distill.Data.Similarity;

namespace Distill.Data.Tests.Similarity;

public sealed class SimilarityTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData(" .,!", 0)]
    [InlineData("Seven, plus 5 = 12!", 4)]
    [InlineData("don't", 2)]
    [InlineData("日本語", 3)]
    [InlineData("x=日 y", 3)]
    public void Words_are_runs_of_letters_and_digits_and_each_ideograph(string text, int words) =>
        WordHashes.Of(text).Length.ShouldBe(words);

    [Fact]
    public void Case_and_marks_between_words_play_no_part() =>
        WordHashes.Of("Tom has: three APPLES").ShouldBe(WordHashes.Of("tom — has three apples."));

    /// <summary>The published values of FNV-1a for these texts: what is counted must not depend on the machine.</summary>
    [Fact]
    public void Hashes_of_words_never_change() =>
        WordHashes.Of("abc 12").ShouldBe([0xe71fa2190541574bUL, 0x07f89407b4ba0c0aUL]);

    /// <summary>Against the share of runs counted exactly: the standard error is 0.045, and a fixed seed keeps the draw.</summary>
    [Fact]
    public void Resemblance_is_that_of_the_runs_of_words() =>
        Gen.Select(Gen.Int[0, 400].Array[60, 200], Gen.Int[0, 400].Array[0, 60], Gen.Int[1, 60]).Sample(
            (words, others, cut) =>
            {
                string one = string.Join(' ', words), other = string.Join(' ', (int[])[.. words[cut..], .. others]);
                MinHash.Of(one).ResemblanceTo(MinHash.Of(other)).ShouldBe(Exact(one, other), 0.2);
            },
            seed: "0000KTdWfPi4", iter: 200);

    [Fact]
    public void Equal_texts_resemble_fully_and_unrelated_ones_hardly()
    {
        string one = string.Join(' ', Enumerable.Range(0, 300)), other = string.Join(' ', Enumerable.Range(1000, 300));
        MinHash.Of(one).ResemblanceTo(MinHash.Of(one)).ShouldBe(1);
        MinHash.Of(one).ResemblanceTo(MinHash.Of(other)).ShouldBeLessThan(0.1);
        MinHash.Of("").ResemblanceTo(MinHash.Of("...")).ShouldBe(1);
        MinHash.Of("").ResemblanceTo(MinHash.Of("a")).ShouldBe(0);
    }

    [Fact]
    public void A_run_of_words_is_found_wherever_it_stands()
    {
        var index = new GramIndex(["How many apples has Tom after he ate two of nine?"], 8);
        index.Meets("Well: how many apples has Tom after he ATE...").ShouldBeTrue();
        index.Meets("How many apples has Tim after he ate two of nine?").ShouldBeFalse();
        index.Meets("").ShouldBeFalse();
    }

    [Fact]
    public void A_short_text_is_found_only_as_a_whole()
    {
        var index = new GramIndex(["What is 7 + 5?"], 8);
        index.Meets("what is 7 5").ShouldBeTrue();
        index.Meets("So what is 7 + 5? It is 12, as anybody can see.").ShouldBeFalse();
    }

    private static double Exact(string one, string other)
    {
        var left = WordHashes.Grams(WordHashes.Of(one), 3).ToHashSet();
        var right = WordHashes.Grams(WordHashes.Of(other), 3).ToHashSet();
        return (double)left.Intersect(right).Count() / left.Union(right).Count();
    }
}
