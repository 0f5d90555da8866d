using System.Text.Json.Nodes;
using Distill.Student.Preference;
using Distill.Student.Tests.Losses;

namespace Distill.Student.Tests.Preference;

/// <summary>Every case of the DPO family against TRL: value, gradient by the tokens' log-probabilities, metrics.</summary>
public sealed class PreferenceLossGoldenTests
{
    [Fact]
    public void Values_and_gradients_are_those_of_TRL()
    {
        using var fixture = new LossFixture("preference");
        int compared = 0;
        foreach (var golden in fixture.Cases)
        {
            string name = LossFixture.NameOf(golden);
            var (kind, options) = LossOf(golden);
            var batch = BatchOf(fixture, golden);
            var slopes = new PairSlopes[batch.Pairs.Count];
            double value = kind.Create(options).Evaluate(batch, slopes), expected = LossFixture.Loss(golden);
            LossFixture.ShouldBeNear(value, expected, 1e-6, name);
            LossFixture.ShouldMatch(ByToken(fixture.Mask(golden), slopes), fixture.Gradient(golden), 1e-6, name);
            compared++;
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void Metrics_are_those_of_TRL()
    {
        using var fixture = new LossFixture("preference");
        int compared = 0;
        foreach (var golden in fixture.Cases)
        {
            string name = LossFixture.NameOf(golden);
            var (kind, options) = LossOf(golden);
            var batch = BatchOf(fixture, golden);
            var known = Known(kind, options, batch);
            foreach (var (metric, node) in golden["metrics"]!.AsObject())
            {
                double[] expected = node is JsonArray list ? [.. list.Select(item => item!.GetValue<double>())]
                    : [node!.GetValue<double>()];
                known[metric].Length.ShouldBe(expected.Length, name);
                for (int i = 0; i < expected.Length; i++)
                    LossFixture.ShouldBeNear(known[metric][i], expected[i], 1e-6, $"{name}: {metric}");
                compared++;
            }
        }

        compared.ShouldBePositive();
    }

    [Fact]
    public void Every_loss_has_a_case_and_every_case_a_loss()
    {
        using var fixture = new LossFixture("preference");
        fixture.Cases.Select(golden => LossOf(golden).Kind.Name).Distinct().Order()
            .ShouldBe(PreferenceLosses.All.Select(kind => kind.Name).Order());
    }

    // E.g. "pairs/robust_0.1/beta0.5": the smoothing is in the parameters too.
    private static (PreferenceLossKind Kind, PreferenceLossOptions Options) LossOf(JsonObject golden)
    {
        string loss = LossFixture.NameOf(golden).Split('/')[1];
        return (PreferenceLosses.Get(loss.Split("_0.")[0]), new PreferenceLossOptions
        {
            Beta = LossFixture.Parameter(golden, "beta"),
            LabelSmoothing = LossFixture.Parameter(golden, "label_smoothing"),
            Gamma = LossFixture.Parameter(golden, "gamma"),
            DesirableWeight = LossFixture.Parameter(golden, "desirable_weight"),
            UndesirableWeight = LossFixture.Parameter(golden, "undesirable_weight"),
        });
    }

    private static PreferenceBatch BatchOf(LossFixture fixture, JsonObject golden)
    {
        float[] policy = fixture.Singles(golden, "logps"), reference = fixture.Singles(golden, "ref_logps");
        int[] mask = fixture.Mask(golden);
        int rows = (int)fixture.Shape(LossFixture.InputOf(golden, "mask"))[0], width = mask.Length / rows;
        CompletionScore[] scores =
        [
            .. Enumerable.Range(0, rows).Select(row => Enumerable.Range(row * width, width).Where(place => mask[place] != 0).ToArray())
                .Select(places => new CompletionScore(
                    places.Sum(place => (double)policy[place]), places.Sum(place => (double)reference[place]), places.Length)),
        ];
        return new PreferenceBatch(
            [.. Enumerable.Range(0, rows / 2).Select(pair => new ScoredPair(scores[pair], scores[pair + (rows / 2)]))])
        {
            UnrelatedLogRatios = LossFixture.Has(golden, "kl_log_ratios")
                ? [.. fixture.Singles(golden, "kl_log_ratios").Select(value => (double)value)] : [],
        };
    }

    private static double[] ByToken(int[] mask, PairSlopes[] slopes)
    {
        int width = mask.Length / (2 * slopes.Length);
        double Slope(int row) => row < slopes.Length ? slopes[row].Chosen : slopes[row - slopes.Length].Rejected;
        return [.. mask.Select((inside, place) => inside == 0 ? 0 : Slope(place / width))];
    }

    private static Dictionary<string, double[]> Known(PreferenceLossKind kind, PreferenceLossOptions options, PreferenceBatch batch)
    {
        var metrics = PreferenceMetrics.Of(kind, options.Beta, batch.Pairs);
        double[] odds =
            [.. batch.Pairs.Select(pair => OddsRatioLoss.LogOdds(pair.Chosen).Value - OddsRatioLoss.LogOdds(pair.Rejected).Value)];
        return new()
        {
            ["rewards_chosen"] = [metrics.Chosen],
            ["rewards/chosen"] = [metrics.Chosen],
            ["rewards_rejected"] = [metrics.Rejected],
            ["rewards/rejected"] = [metrics.Rejected],
            ["margin"] = [metrics.Margin],
            ["rewards/margins"] = [metrics.Margin],
            ["accuracy"] = [metrics.Accuracy],
            ["per_pair_chosen_reward"] = [.. batch.Pairs.Select(pair => kind.Reward(pair.Chosen, options.Beta))],
            ["per_pair_rejected_reward"] = [.. batch.Pairs.Select(pair => kind.Reward(pair.Rejected, options.Beta))],
            ["kl"] = [kind.UsesUnrelated ? ProspectLoss.Distance(batch) : 0],
            ["nll"] = [-batch.Pairs.Sum(pair => pair.Chosen.LogProbability) / batch.Pairs.Sum(pair => pair.Chosen.Tokens)],
            ["log_odds_ratio"] = [odds.Average(value => -Math.Log(1 + Math.Exp(-value)))],
            ["log_odds_chosen"] = [odds.Average()],
        };
    }
}
