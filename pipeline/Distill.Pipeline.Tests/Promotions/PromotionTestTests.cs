using Distill.Generation;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Pipeline.Tests.Promotions;

/// <summary>The whole gate on drawn answers: how often it promotes what it must not, and what it finds.</summary>
public sealed class PromotionTestTests
{
    private const int Nights = 1000, Problems = 400;

    private static readonly string[] Domains = ["arithmetic", "words", "logic", "rare"];

    private static readonly int[] Places = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]; // how often each domain comes

    /// <summary>The same model against itself, sampled anew each night: under <c>better</c> nothing may be promoted.</summary>
    [Fact]
    public void A_against_A_is_called_better_on_at_most_one_night_in_twenty()
    {
        var test = new PromotionTest(new PromotionSection { Require = PromotionRequirement.Better, DomainMargin = 1 });
        Share(test, _ => 0).ShouldBeLessThanOrEqualTo(0.05);
    }

    /// <summary>A model that is worse by exactly the margin, everywhere.</summary>
    [Fact]
    public void A_model_that_loses_the_margin_is_promoted_on_at_most_one_night_in_twenty()
    {
        var test = new PromotionTest(new PromotionSection { Margin = 0.05, DomainMargin = 1 });
        Share(test, _ => 0.05).ShouldBeLessThanOrEqualTo(0.05);
    }

    /// <summary>Well on the whole, and worse in one domain by that domain's margin.</summary>
    [Fact]
    public void A_model_that_loses_in_one_domain_is_promoted_on_at_most_one_night_in_twenty()
    {
        var test = new PromotionTest(new PromotionSection { Margin = 0.2, DomainMargin = 0.12 });
        Share(test, domain => domain == "logic" ? 0.12 : -0.02).ShouldBeLessThanOrEqualTo(0.05);
    }

    [Fact]
    public void A_loss_of_twice_the_margin_is_as_good_as_never_promoted_and_a_gain_is_found()
    {
        var test = new PromotionTest(new PromotionSection { Margin = 0.05, DomainMargin = 1 });
        Share(test, _ => 0.1).ShouldBeLessThan(0.005);
        var better = new PromotionTest(new PromotionSection { Require = PromotionRequirement.Better, DomainMargin = 1 });
        Share(better, _ => -0.3).ShouldBeGreaterThan(0.9);
        Share(test, _ => 0).ShouldBeGreaterThan(0.5); // an equal model has its chance with 400 problems
    }

    [Fact]
    public void Small_domains_are_tested_together_and_one_domain_is_all_problems()
    {
        var test = new PromotionTest(new PromotionSection { DomainProblems = 40 });
        string[] names = [.. test.Against([.. Of("a", 50), .. Of("b", 25), .. Of("c", 25)]).Select(check => check.Name)];
        names.ShouldBe(["all problems", "domain a", "other domains"]);
        test.Untested([.. Of("a", 50), .. Of("b", 25), .. Of("c", 25)]).ShouldBeNull();
        test.Untested([.. Of("a", 50), .. Of("b", 25)]).ShouldNotBeNull().ShouldContain("b (25)");
        test.Against([.. Of("a", 50)]).Select(check => check.Name).ShouldBe(["all problems"]);
    }

    [Fact]
    public void What_is_missing_is_said_in_problems()
    {
        var test = new PromotionTest(new PromotionSection { Margin = 0.02 });
        var check = test.Against([.. Of("a", 90), new("a", true, false), new("a", false, true)]).Single();
        check.Passed.ShouldBeFalse();
        check.Text.ShouldContain("a loss below 2 points is not shown; if the models differ as they do here, about");
        test.Against([]).Single().Text.ShouldContain("no held-out problem that both models can be asked");
    }

    [Fact]
    public void The_first_has_the_base_against_it_and_the_minimum_holds_for_all()
    {
        PairedAnswer[] good = [.. Enumerable.Range(0, 60).Select(i => new PairedAnswer("a", i < 5, i < 50))];
        var test = new PromotionTest(new PromotionSection { Minimum = 0.7 });
        test.First(good).Single().Passed.ShouldBeTrue();
        test.Floor(good).Single().Passed.ShouldBeTrue(); // 83 %, at least 74 %
        test.First([.. good.Select(answer => answer with { Before = answer.After })]).Single().Passed.ShouldBeFalse();
        new PromotionTest(new PromotionSection { Minimum = 0.8 }).Floor(good).Single().Passed.ShouldBeFalse();
        new PromotionTest(new PromotionSection { First = FirstPromotion.Any }).First(good).ShouldBeEmpty();
    }

    private static IEnumerable<PairedAnswer> Of(string domain, int count) => Enumerable.Repeat(new PairedAnswer(domain, true, true), count);

    /// <param name="loss">By domain: share of its problems that the new model loses.</param>
    private static double Share(PromotionTest test, Func<string, double> loss)
    {
        var random = new RandomStream(20_26);
        int promoted = 0;
        for (int night = 0; night < Nights; night++)
        {
            var answers = new PairedAnswer[Problems];
            for (int i = 0; i < Problems; i++) answers[i] = Draw(ref random, Domains[Places[i % Places.Length]], loss);
            if (test.Against(answers).All(check => check.Passed)) promoted++;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"promoted on {promoted} of {Nights} nights");
        return (double)promoted / Nights;
    }

    // Problems differ in how hard they are; the two models' luck on one is their own.
    private static PairedAnswer Draw(ref RandomStream random, string domain, Func<string, double> loss)
    {
        double ease = random.NextDouble() < 0.8 ? 0.97 : 0.4, lost = loss(domain);
        return new(domain, random.NextDouble() < ease, random.NextDouble() < Math.Clamp(ease - lost, 0, 1));
    }
}
