using Distill.Evaluation.Statistics;

namespace Distill.Teacher.Tests.Evaluation;

/// <summary>How often the test that promotes models is wrong: worked out exactly, every possible outcome with its probability.</summary>
public sealed class PairedLossTests
{
    private const double MostWrong = 0.05;

    /// <summary>Computed apart from the product, in Python's doubles, from the formula of the paper.</summary>
    [Theory]
    [InlineData(400, 18, 20, -0.022252)]
    [InlineData(400, 0, 0, -0.009030)]
    [InlineData(50, 9, 1, -0.280478)]
    [InlineData(1000, 0, 30, 0.021889)]
    [InlineData(12, 3, 3, -0.368989)]
    [InlineData(400, 12, 40, 0.040310)]
    public void The_bound_equals_another_computation(int problems, int onlyBefore, int onlyAfter, double bound) =>
        new PairedLoss(problems, onlyBefore, onlyAfter).LowerBound().ShouldBe(bound, 2e-6);

    [Fact]
    public void The_verdict_is_that_of_the_bound()
    {
        foreach (int before in (int[])[0, 3, 9, 20])
        {
            foreach (int after in (int[])[0, 2, 8, 25])
            {
                var paired = new PairedLoss(300, before, after);
                foreach (double margin in (double[])[0, 0.01, 0.03, 0.08])
                    paired.IsBelow(margin).ShouldBe(paired.LowerBound() > -margin, $"{paired} {margin}");
            }
        }
    }

    /// <summary>A model that loses exactly the margin, whatever share of the problems the two differ on.</summary>
    [Theory]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(200)]
    [InlineData(400)]
    public void A_model_that_loses_the_margin_passes_at_most_once_in_twenty_times(int problems)
    {
        foreach (double margin in (double[])[0.01, 0.03, 0.05, 0.1])
        {
            foreach (double differing in (double[])[margin, 1.3 * margin, 2 * margin, 0.1, 0.2, 0.4])
            {
                if (differing < margin) continue;
                Passes(problems, differing, loss: margin, margin).ShouldBeLessThanOrEqualTo(MostWrong, $"{margin} {differing}");
            }
        }
    }

    /// <summary>Two models that are equally good: none of them may be called better.</summary>
    [Theory]
    [InlineData(30)]
    [InlineData(400)]
    public void An_equal_model_is_called_better_at_most_once_in_twenty_times(int problems)
    {
        foreach (double differing in (double[])[0.01, 0.05, 0.1, 0.3, 0.6])
            Passes(problems, differing, loss: 0, margin: 0).ShouldBeLessThanOrEqualTo(MostWrong, $"{differing}");
    }

    /// <summary>What the test is for: a real loss is found, and an equal model passes where there are problems enough.</summary>
    [Fact]
    public void A_real_loss_is_refused_and_an_equal_model_passes()
    {
        Passes(400, 0.1, loss: 0.06, margin: 0.03).ShouldBeLessThan(0.001);
        Passes(400, 0.1, loss: 0, margin: 0.05).ShouldBeGreaterThan(0.9);
        Passes(1000, 0.1, loss: 0, margin: 0.03).ShouldBeGreaterThan(0.85);
    }

    [Fact]
    public void The_problems_that_would_be_needed_are_enough_four_times_out_of_five()
    {
        int needed = new PairedLoss(100, 5, 5).ProblemsFor(0.03).ShouldNotBeNull();
        Passes(needed, 0.1, loss: 0, margin: 0.03).ShouldBeInRange(0.75, 0.85);
        new PairedLoss(100, 9, 5).ProblemsFor(0.03).ShouldBeNull(); // more of the same shows nothing
    }

    // The sum over all outcomes: so many problems differ (binomial), so many of them are won (binomial).
    private static double Passes(int problems, double differing, double loss, double margin)
    {
        double won = (differing - loss) / 2 / differing, sum = 0;
        double[] differ = Binomial(problems, differing);
        for (int d = 0; d <= problems; d++)
        {
            if (differ[d] < 1e-12) continue;
            double[] wins = Binomial(d, won);
            for (int w = 0; w <= d; w++)
            {
                if (new PairedLoss(problems, d - w, w).IsBelow(margin)) sum += differ[d] * wins[w];
            }
        }

        return sum;
    }

    private static double[] Binomial(int n, double p)
    {
        double[] chances = new double[n + 1];
        if (p <= 0)
        {
            chances[0] = 1;
            return chances;
        }

        double log = n * Math.Log(1 - p);
        for (int k = 0; k <= n; k++)
        {
            chances[k] = Math.Exp(log);
            log += Math.Log((double)(n - k) / (k + 1)) + Math.Log(p / (1 - p));
        }

        return chances;
    }
}
