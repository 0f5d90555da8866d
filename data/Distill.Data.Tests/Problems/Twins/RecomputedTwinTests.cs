using System.Text.Json;
using System.Text.RegularExpressions;
using Distill.Data.Problems;
using Distill.Data.Problems.Twins;

namespace Distill.Data.Tests.Problems.Twins;

/// <summary>Numbers are changed only where the worked solution is a program for that.</summary>
public sealed partial class RecomputedTwinTests
{
    [Theory]
    [InlineData("{0}/2 = <<{0}/2={1}>>{1} clips. {0}+{1} = <<{0}+{1}={2}>>{2} clips.")]
    [InlineData("{0}/2 = {1} clips. {0} + {1} = {2} clips.")]
    public void Everything_that_follows_from_the_new_number_is_worked_out_again(string solution)
    {
        string Solution(int number) => string.Format(solution, number, number / 2, number + (number / 2));

        var twin = Twin("Anna sold 48 clips and then half as many. How many clips did she sell?", Solution(48), "72")!;

        var number = int.Parse(Regex.Match(twin.Text, "[0-9]+").Value);
        number.ShouldNotBe(48);
        (number % 2).ShouldBe(0);
        twin.Text.ShouldBe($"Anna sold {number} clips and then half as many. How many clips did she sell?");
        twin.ReferenceSolution.ShouldBe(Solution(number));
        twin.ReferenceAnswer.ShouldBe($"{number + (number / 2)}");
    }

    [Theory]
    [InlineData("it is no program", "Anna has 48 clips and loses 15 of them. How many are left?", "She has 33 left.", "33")]
    [InlineData("the gold is another", "Anna has 48 clips and loses 15 of them. How many are left?", "<<48-15=33>>33", "34")]
    [InlineData("a step is wrong", "Anna has 48 clips and loses 15 of them. How many are left?", "<<48-15=32>>32", "32")]
    [InlineData("a step is rounded", "Anna shares 47 clips among 13 friends. How many are for each?", "<<47/13=3.62>>3.62", "3.62")]
    [InlineData("a number comes twice", "Anna has 48 clips and gets 48 more of them. How many are there?", "<<48+48=96>>96", "96")]
    [InlineData("a number comes from nowhere", "Anna has 48 clips and loses some of them. How many are left?", "<<48-17=31>>31", "31")]
    [InlineData("a number is not used", "Anna has 48 clips, 5 pins and 15 pens. How many but pins has she?", "<<48+15=63>>63", "63")]
    [InlineData("a result is not used", "Anna has 48 clips and loses 15. How many are left?", "<<48+15=63>>63 <<48-15=33>>33", "33")]
    [InlineData("it is rounded", "Anna has 48 clips in 8 boxes, rounded up. How many are in each?", "<<48/8=6>>6", "6")]
    [InlineData("a mark is damaged", "Anna has 48 clips and loses 15 of them. How many are left?", "<<48-15=33>>33 <<48", "33")]
    [InlineData("it divides by nothing", "Anna has 48 clips and loses 15 of them. How many are left?", "<<48/(15-15)=33>>33", "33")]
    [InlineData("a number more is said", "Anna has 48 clips and loses 15 of them. How many are left?", "In 1999: <<48-15=33>>33", "33")]
    public void Nothing_is_changed_where(string reason, string text, string solution, string gold) =>
        Twin(text, solution, gold).ShouldBeNull(reason);

    [Theory]
    [InlineData("Anna paid 40% of $350 for a coat. How many dollars did she pay?", "350*40/100 = <<350*40/100=140>>140", "140")]
    [InlineData("Anna ran 1,200 yards and then 850 yards. How many yards did she run?", "1,200+850=<<1200+850=2050>>2,050", "2050")]
    [InlineData("A pen costs $1.50 and Anna buys 14 of them. How much does she pay?", "14*1.50=$<<14*1.50=21.00>>21.00", "21")]
    public void Numbers_keep_the_way_they_are_spelled(string text, string solution, string gold)
    {
        var twin = Twin(text, solution, gold).ShouldNotBeNull();

        Frame(twin.Text).ShouldBe(Frame(text));
        Frame(twin.ReferenceSolution!).ShouldBe(Frame(solution));
        CalculationChain.Read(twin.ReferenceSolution!)[^1].Result.ShouldBe(TextNumber.TryRead(twin.ReferenceAnswer)!.Value);
    }

    /// <summary>
    /// On what people wrote: the share of problems with each twin is as documented, and 200 recomputed ones are read with other eyes than
    /// those that made them.
    /// </summary>
    [Fact]
    public void Hundreds_of_real_problems_have_twins_that_satisfy_their_own_chain()
    {
        var problems = RealProblems();
        var twins = problems.SelectMany(problem => ProblemTwins.Of(problem)).ToArray();

        Share(TwinKind.Renamed).ShouldBeGreaterThan(0.25);
        Share(TwinKind.Irrelevant).ShouldBeGreaterThan(0.6);
        Share(TwinKind.Recomputed).ShouldBeGreaterThan(0.25);
        var recomputed = twins.Where(twin => twin.Kind == TwinKind.Recomputed).Take(200).Select(twin => twin.Problem).ToArray();
        recomputed.Length.ShouldBe(200);
        foreach (var twin in recomputed)
            CheckChain(twin);

        double Share(TwinKind kind) => (double)twins.Count(twin => twin.Kind == kind) / problems.Length;
    }

    /// <summary>Without exact arithmetic of ours: decimals, and each calculation taken apart by hand.</summary>
    private static void CheckChain(Problem twin)
    {
        decimal last = 0;
        foreach (Match mark in Mark().Matches(twin.ReferenceSolution!))
        {
            last = decimal.Parse(mark.Groups[2].Value);
            using var table = new System.Data.DataTable();
            // A decimal point makes every division one of decimals.
            var expression = Whole().Replace(mark.Groups[1].Value, "$0.0").Replace("%", "/100.0");
            var value = Convert.ToDouble(table.Compute(expression, null));
            value.ShouldBe((double)last, 1e-6, $"{twin.Id}: {mark.Value}");
        }

        last.ShouldBe(decimal.Parse(twin.ReferenceAnswer), twin.Id);
    }

    private static Problem[] RealProblems()
    {
        var folder = Environment.GetEnvironmentVariable("DISTILL_DATA") is { Length: > 0 } given
            ? given
            : Path.Combine(RepositoryFolder.Root, "..", "shared", "data");
        var file = Path.Combine(folder, "gsm8k", "train.jsonl");
        Assert.SkipUnless(File.Exists(file), $"No data set at '{file}'; set DISTILL_DATA to the folder that holds gsm8k/.");
        return [.. File.ReadLines(file).Take(1500).Select((line, i) =>
        {
            var row = JsonDocument.Parse(line).RootElement;
            var halves = row.GetProperty("answer").GetString()!.Split("####");
            var text = row.GetProperty("question").GetString()!;
            var (gold, solution) = (halves[1].Trim(), halves[0].Trim());
            return new Problem($"gsm8k/{i}", "gsm8k", "math", Split.Train, 1, text, gold, solution, text) { Verifier = "integer" };
        })];
    }

    private static Problem? Twin(string text, string solution, string gold) =>
        ProblemTwins.Of(new Problem("mine#7", "mine", "math", Split.Test, 1, text, gold, solution, text) { Verifier = "integer" })
            .FirstOrDefault(twin => twin.Kind == TwinKind.Recomputed)?.Problem;

    private static string Frame(string text) => Regex.Replace(text, "[0-9]", "0").Replace("00", "0").Replace("00", "0");

    [GeneratedRegex("<<([^=<>]+)=([^=<>]+)>>")]
    private static partial Regex Mark();

    [GeneratedRegex("(?<![0-9.])[0-9]+(?![0-9.])")]
    private static partial Regex Whole();
}

/// <summary>The exact arithmetic under it.</summary>
public sealed class CalculationTests
{
    [Theory]
    [InlineData("48/2", 24, 1)]
    [InlineData("2 + 3 * 4", 14, 1)]
    [InlineData("(2+3)*4", 20, 1)]
    [InlineData("1/3+1/6", 1, 2)]
    [InlineData("20%*50", 10, 1)]
    [InlineData("$1,200.50 x 2", 2401, 1)]
    [InlineData(".5*7", 7, 2)]
    [InlineData("10-3-2", 5, 1)]
    public void An_expression_is_evaluated_exactly(string text, int above, int below) =>
        Calculation.Evaluate(text, value => value).ShouldBe(new Fraction(above, below));

    [Theory]
    [InlineData("")]
    [InlineData("2+")]
    [InlineData("(2+3")]
    [InlineData("2)")]
    [InlineData("2/0")]
    [InlineData("-2")]
    [InlineData("2**3")]
    [InlineData("a+b")]
    public void What_is_no_expression_has_no_value(string text) => Calculation.Evaluate(text, value => value).ShouldBeNull();

    [Fact]
    public void Depth_is_bounded() =>
        Calculation.Evaluate(new string('(', 100_000) + "1" + new string(')', 100_000), value => value).ShouldBeNull();

    [Fact]
    public void Fractions_are_in_lowest_terms_and_equal_by_value()
    {
        new Fraction(6, -8).ShouldBe(new Fraction(-3, 4));
        default(Fraction).ShouldBe((Fraction)0);
        (new Fraction(1, 3) + new Fraction(1, 6)).ToString().ShouldBe("1 / 2");
        (new Fraction(1, 3) - new Fraction(1, 3)).IsZero.ShouldBeTrue();
        Should.Throw<DivideByZeroException>(() => new Fraction(1, 0));
    }
}
