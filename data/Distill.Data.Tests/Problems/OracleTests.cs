using Distill.Data.Problems;
using Distill.Data.Tests.Problems.Oracles;

namespace Distill.Data.Tests.Problems;

/// <summary>An oracle that lets everything pass would make every test that asks it worthless.</summary>
public sealed class OracleTests
{
    public static TheoryData<string, int> Levels => FamilySamples.Levels;

    [Theory]
    [InlineData("arithmetic", "7 + 5 = 13")]
    [InlineData("arithmetic", "anna has 7 + 5 = 12")]
    [InlineData("words", "anna has 7 + 5 = 13")]
    [InlineData("words", "5 - 3 < 0")]
    [InlineData("words", "anna likes books")]
    [InlineData("countdown", "3 5 give 8 2 16")]
    [InlineData("countdown", "5 3 give 8 2")]
    [InlineData("countdown", "16 5 need 11 21 3")]
    [InlineData("countdown", "15 5 need 10 20 no")]
    [InlineData("knights", "anna knight ; anna says ben is a knight . anna knight says ben knight so ben knave")]
    [InlineData("knights", "anna knight ; anna says ben is a knight . anna knight says ben knight so ok")]
    [InlineData("knights", "anna knave ; anna says ben and cara are knaves . anna knave says ben and cara knaves so ben knight")]
    [InlineData("knights", "anna knight ; anna says ben is a knight . anna knight says ben knight so no")]
    [InlineData("contradiction", "anna is older than ben . ben > anna")]
    [InlineData("contradiction", "anna is younger than ben . anna > ben")]
    public void A_false_fact_is_noticed(string family, string fact) => Oracle.Of(family).IsTrue(fact).ShouldBeFalse();

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_solution_without_its_end_is_noticed(string family, int level)
    {
        foreach (var problem in Told(family, level).Where((_, i) => i % 5 == 0))
        {
            var cut = string.Join(" ; ", StepText.Items(problem.ReferenceSolution!)[..^1]);

            IsNoticed(problem with { ReferenceSolution = cut }).ShouldBeTrue(problem.Id);
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_word_changed_anywhere_in_a_solution_is_noticed(string family, int level)
    {
        foreach (var problem in Told(family, level).Take(5))
        {
            var words = problem.ReferenceSolution!.Split(' ');
            for (var i = 0; i < words.Length; i++)
            {
                var changed = words.ToArray();
                changed[i] = Changed(words[i]);
                var solution = string.Join(' ', changed);
                if (changed[i] != words[i])
                    IsNoticed(problem with { ReferenceSolution = solution }).ShouldBeTrue($"{problem.Id}: {solution}");
            }
        }
    }

    /// <summary>
    /// A search for nothing may end anywhere: only its result tells that it is complete, and that is checked by another search.
    /// </summary>
    private static IEnumerable<Problem> Told(string family, int level) =>
        FamilySamples.WithTwins(family, level).Where(problem => family != "countdown" || problem.ReferenceAnswer != "impossible");

    private static string Changed(string word) => word switch
    {
        "knight" => "knave",
        "knave" => "knight",
        "ok" => "end",
        "end" or "again" => "ok",
        "+" => "-",
        "match" => "none",
        _ when word.All(char.IsAsciiDigit) => $"{StepText.Number(word) + 1}",
        _ => word,
    };

    private static bool IsNoticed(Problem problem)
    {
        try
        {
            Oracle.Of(problem.Source).CheckSteps(problem);
            return false;
        }
        catch (Exception reason) when (reason is ShouldAssertException or InvalidDataException or FormatException
            or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            return true;
        }
    }
}
