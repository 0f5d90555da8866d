using System.Globalization;
using System.Text.Json;
using Distill.Evaluation.Statistics;

namespace Distill.Teacher.Tests.Evaluation;

/// <summary>Every statistic of a report, against scipy, statsmodels and numpy, with the tolerance of the golden values' README.</summary>
public sealed class StatisticsGoldenTests
{
    private const double Tolerance = 1e-9;

    [Fact]
    public void Wilsons_interval_equals_statsmodels()
    {
        foreach (JsonElement @case in Cases("proportions"))
        {
            foreach (
                JsonProperty property in @case.EnumerateObject()
                    .Where(property => property.Name.StartsWith("wilson_", StringComparison.Ordinal)))
            {
                double level = double.Parse(property.Name["wilson_".Length..], CultureInfo.InvariantCulture);
                ShouldBe(
                    Proportion.Wilson(Number(@case, "successes"), Number(@case, "n"), NormalQuantile((1 + level) / 2)), property.Value,
                    @case);
            }
        }

        Proportion.Z95.ShouldBe(NormalQuantile(0.975), Tolerance);
    }

    /// <summary>Computed apart from the product: the effective sample size in exact fractions, its interval in Python's doubles.</summary>
    [Theory]
    [InlineData(new[] { 0.25, 0.75, 0.5, 1, 0 }, 0.21521606221387757, 0.7847839377861224)] // as many as 8 samples
    [InlineData(new[] { 1.0, 1, 1, 1, 1, 1 }, 0.6096657120978346, 1)]                      // no spread: the number of problems
    [InlineData(new[] { 0.0, 0, 0 }, 0, 0.5614970317550455)]
    [InlineData(new[] { 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5 },
        0.3208068821608572, 0.43251800308620747)]                                         // as many as 285
    [InlineData(new[] { 0.75 }, 0.11790958799950957, 0.9853650691891092)]
    public void A_clustered_interval_is_Wilsons_with_the_effective_sample_size(double[] shares, double low, double high)
    {
        Interval interval = Proportion.Clustered(shares);
        interval.Low.ShouldBe(low, Tolerance);
        interval.High.ShouldBe(high, Tolerance);
    }

    [Fact]
    public void Pass_at_k_equals_exact_integers()
    {
        foreach (JsonElement @case in Cases("pass_at_k"))
            PassAtK.Estimate(Integer(@case, "n"), Integer(@case, "c"), Integer(@case, "k"))
                .ShouldBe(Number(@case, "value"), Tolerance, @case.ToString());
        foreach (JsonElement @case in Cases("pass_at_k", "means"))
        {
            double mean = @case.GetProperty("correct").EnumerateArray()
                .Average(correct => PassAtK.Estimate(Integer(@case, "n"), correct.GetInt32(), Integer(@case, "k")));
            mean.ShouldBe(Number(@case, "mean"), Tolerance, @case.ToString());
        }
    }

    [Fact]
    public void A_majority_with_ties_drawn_by_lot_equals_the_definition()
    {
        foreach (JsonElement @case in Cases("maj_at_k"))
            Majority(@case, Answers(@case)).ShouldBe(Number(@case, "expected_correct"), Tolerance, @case.ToString());
        foreach (JsonElement @case in Cases("maj_at_k", "subsets"))
        {
            string?[] answers = Answers(@case);
            int k = Integer(@case, "k");
            Enumerable.Range(0, 1 << answers.Length).Where(subset => int.PopCount(subset) == k)
                .Average(subset => Majority(@case, [.. answers.Where((_, i) => (subset >> i & 1) == 1)]))
                .ShouldBe(Number(@case, "expected"), Tolerance, @case.ToString());
        }
    }

    [Fact]
    public void The_exact_test_of_McNemar_equals_statsmodels()
    {
        foreach (JsonElement @case in Cases("mcnemar"))
            McNemar.ExactP(Integer(@case, "only_a"), Integer(@case, "only_b"))
                .ShouldBe(Number(@case, "exact_p"), Tolerance, @case.ToString());
    }

    [Fact]
    public void A_paired_bootstrap_equals_numpy()
    {
        foreach (JsonElement @case in Cases("paired_bootstrap"))
        {
            double[] a = Numbers(@case.GetProperty("a")), b = Numbers(@case.GetProperty("b"));
            int[][] indices =
                [.. @case.GetProperty("indices").EnumerateArray().Select(row => row.EnumerateArray().Select(i => i.GetInt32()).ToArray())];
            PairedBootstrap result = PairedBootstrap.Run(a, b, indices);
            string where = @case.GetProperty("kind").ToString();
            result.Mean.ShouldBe(Number(@case, "observed"), Tolerance, where);
            result.StandardError.ShouldBe(Number(@case, "standard_error"), Tolerance, where);
            result.P.ShouldBe(Number(@case, "p_two_sided"), Tolerance, where);
            ShouldBe(result.Interval, @case.GetProperty("percentile_95"), @case);
            ShouldBe(PairedBootstrap.Run(a, b, indices, 0.9).Interval, @case.GetProperty("percentile_90"), @case);
        }
    }

    private static IReadOnlyList<JsonElement> Cases(string name, string list = "cases")
    {
        using var document = JsonDocument.Parse(File.ReadAllText(FixtureFolder.RequireFile("statistics", name + ".json")));
        JsonElement[] cases = [.. document.RootElement.GetProperty(list).Clone().EnumerateArray()];
        cases.ShouldNotBeEmpty();
        return cases;
    }

    private static double Majority(JsonElement @case, string?[] answers) =>
        MajorityVote.ExpectedCorrect(answers, answer => answer == @case.GetProperty("gold").GetString());

    private static string?[] Answers(JsonElement @case) =>
        [.. @case.GetProperty("answers").EnumerateArray().Select(answer => answer.GetString())];

    private static double Number(JsonElement @case, string key) => @case.GetProperty(key).GetDouble();

    private static int Integer(JsonElement @case, string key) => @case.GetProperty(key).GetInt32();

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];

    private static void ShouldBe(Interval actual, JsonElement expected, JsonElement @case)
    {
        actual.Low.ShouldBe(expected[0].GetDouble(), Tolerance, @case.ToString());
        actual.High.ShouldBe(expected[1].GetDouble(), Tolerance, @case.ToString());
    }

    /// <summary>By bisection over Simpson's rule on the density: slow, and of no kinship with the product.</summary>
    private static double NormalQuantile(double share)
    {
        double low = 0, high = 10;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            if (0.5 + Integral(middle) < share) low = middle;
            else high = middle;
        }

        return low;

        static double Integral(double to)
        {
            const int parts = 1000;
            double step = to / parts, sum = 0;
            for (int i = 0; i <= parts; i++) sum += (i is 0 or parts ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-i * step * i * step / 2);
            return sum * step / 3 / Math.Sqrt(2 * Math.PI);
        }
    }
}
