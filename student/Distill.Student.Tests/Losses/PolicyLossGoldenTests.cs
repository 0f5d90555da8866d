using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Data.Verification;
using Distill.Generation;
using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Student.Tests.Losses;

/// <summary>The GRPO family against TRL: every case whose loss is one of ours, value and gradient by the log-probabilities.</summary>
public sealed class PolicyLossGoldenTests
{
    private static readonly Problem AnyProblem = new("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");

    [Fact]
    public void Values_and_gradients_are_those_of_TRL()
    {
        using var fixture = new LossFixture("grpo");
        int compared = 0;
        foreach (var golden in fixture.Cases.Where(IsOurs))
        {
            var (value, slopes) = Evaluate(fixture, golden);
            string name = LossFixture.NameOf(golden);
            value.ShouldBe(LossFixture.Loss(golden), 2e-6 * Math.Max(1, Math.Abs(LossFixture.Loss(golden))), name);
            LossFixture.ShouldMatch(slopes, fixture.Gradient(golden), 1e-5, name);
            compared++;
        }

        compared.ShouldBeGreaterThan(70);
    }

    [Fact]
    public void Gradients_by_the_logits_are_those_of_TRL()
    {
        using var fixture = new LossFixture("grpo");
        foreach (var golden in fixture.Cases.Where(golden => LossFixture.Has(golden, "logits") && LossFixture.Parameter(golden, "temperature") == 1))
        {
            float[] logits = fixture.Singles(golden, "logits");
            int width = (int)fixture.Shape(LossFixture.InputOf(golden, "logits"))[^1];
            int[] ids = fixture.Integers(golden, "ids");
            float[] chosen = [.. ids.Select((id, row) => (float)(Logarithms(logits.AsSpan(row * width, width))[id]))];
            var (value, slopes) = Evaluate(fixture, golden, chosen);
            value.ShouldBe(LossFixture.Loss(golden), 2e-6, LossFixture.NameOf(golden));
            LossFixture.ShouldMatch(ByLogits(logits, width, ids, slopes), fixture.Gradient(golden), 1e-5, LossFixture.NameOf(golden));
        }
    }

    [Fact]
    public void On_policy_distillation_has_the_value_and_gradient_of_its_definition()
    {
        using var fixture = new LossFixture("on_policy");
        foreach (var golden in fixture.Cases.Where(golden => LossFixture.Has(golden, "sampler_logps")))
        {
            float[] logits = fixture.Singles(golden, "student");
            int width = (int)fixture.Shape(LossFixture.InputOf(golden, "student"))[^1];
            int[] ids = fixture.Integers(golden, "ids");
            float[] chosen = [.. ids.Select((id, row) => (float)(Logarithms(logits.AsSpan(row * width, width))[id]))];
            var rows = Rows(fixture, golden, chosen, fixture.Singles(golden, "sampler_logps"), fixture.Singles(golden, "teacher_logps"), _ => 0);
            var (value, slopes) = Evaluate(new OnPolicyDistillationLoss((long)LossFixture.Parameter(golden, "normaliser"), LossFixture.Parameter(golden, "coefficient")), rows, chosen.Length);
            value.ShouldBe(LossFixture.Loss(golden), 2e-6, LossFixture.NameOf(golden));
            LossFixture.ShouldMatch(ByLogits(logits, width, ids, slopes), fixture.Gradient(golden), 1e-5, LossFixture.NameOf(golden));
        }
    }

    // Losses that Distill does not offer, masks by entropy, and the bias-corrected KL are left out by name.
    private static bool IsOurs(JsonObject golden) =>
        golden["params"]!["loss_type"]?.GetValue<string>() is "grpo" or "bnpo" or "dr_grpo" or "dapo" or "cispo"
        && !LossFixture.Has(golden, "logits") && golden["params"]!["top_entropy_quantile"] is null && golden["params"]!["use_bias_correction_kl"] is null;

    private static (double Value, double[] Slopes) Evaluate(LossFixture fixture, JsonObject golden, float[]? current = null)
    {
        float[] logps = current ?? fixture.Singles(golden, "logps"), advantages = fixture.Singles(golden, "advantages");
        var rows = Rows(fixture, golden, logps, fixture.Singles(golden, "old_logps"), fixture.Singles(golden, "ref_logps"), row => advantages[row]);
        int sequences = (int)fixture.Shape(LossFixture.InputOf(golden, "mask"))[0];
        string type = golden["params"]!["loss_type"]!.GetValue<string>();
        double microBatches = LossFixture.Parameter(golden, "micro_batches", 1);
        var divisor = new PolicyDivisor(
            type switch { "grpo" => PolicyAggregation.Sequence, "dr_grpo" => PolicyAggregation.TokenLimit, _ => PolicyAggregation.Token },
            type == "bnpo" ? rows.Sum(row => (long)row.Places.Length) : (long)LossFixture.Parameter(golden, "num_items_in_batch"),
            sequences, (int)LossFixture.Parameter(golden, "max_completion_length", 0));
        IPolicySurrogate surrogate = type == "cispo"
            ? new CappedWeightSurrogate(LossFixture.Parameter(golden, "epsilon_high"))
            : new ClippedSurrogate(LossFixture.Parameter(golden, "epsilon_low"), LossFixture.Parameter(golden, "epsilon_high"), LossFixture.Parameter(golden, "delta", double.PositiveInfinity));
        var level = golden["params"]!["importance_sampling_level"]?.GetValue<string>() == "sequence" ? RatioLevel.Sequence : RatioLevel.Token;
        var (value, slopes) = Evaluate(new PolicyLoss(surrogate, level, divisor, LossFixture.Parameter(golden, "beta", 0)), rows, logps.Length);
        double share = type is "dapo" or "cispo" ? 1 : microBatches; // the others are means over the micro-batch
        return (value / share, [.. slopes.Select(slope => slope / share)]);
    }

    private static List<(int[] Places, Rollout Rollout, float[] Current)> Rows(
        LossFixture fixture, JsonObject golden, float[] current, float[] sampled, float[] reference, Func<int, float> advantage)
    {
        long[] shape = fixture.Shape(LossFixture.InputOf(golden, "mask"));
        int width = (int)shape[1];
        int[] mask = fixture.Mask(golden);
        return
        [
            .. Enumerable.Range(0, (int)shape[0])
                .Select(row => (Row: row, Places: Enumerable.Range(row * width, width).Where(place => mask[place] != 0).ToArray()))
                .Where(row => row.Places.Length > 0)
                .Select(row => (row.Places, Of(row.Places, sampled, reference, advantage(row.Row)), row.Places.Select(place => current[place]).ToArray())),
        ];
    }

    private static Rollout Of(int[] places, float[] sampled, float[] reference, float advantage)
    {
        var completion = new Completion([.. places.Select(_ => 3)], [.. places.Select(place => sampled[place])], StopReason.StopToken, 1);
        return new Rollout([7, .. completion.Tokens], 1, AnyProblem, completion, Verdict.Correct, 1)
        {
            Advantage = advantage,
            ReferenceLogProbabilities = [.. places.Select(place => reference[place])],
        };
    }

    private static (double Value, double[] Slopes) Evaluate(ITokenLoss loss, List<(int[] Places, Rollout Rollout, float[] Current)> rows, int count)
    {
        double[] slopes = new double[count];
        if (rows.Count == 0) return (0, slopes);
        float[] current = [.. rows.SelectMany(row => row.Current)], derivatives = new float[current.Length];
        double value = loss.Evaluate(new TokenBatch([.. rows.Select(row => row.Rollout)]), current, derivatives);
        foreach (var (place, index) in rows.SelectMany(row => row.Places).Select((place, index) => (place, index))) slopes[place] = derivatives[index];
        return (value, slopes);
    }

    private static double[] ByLogits(float[] logits, int width, int[] ids, double[] slopes)
    {
        double[] gradient = new double[logits.Length];
        for (int row = 0; row < ids.Length; row++)
        {
            double[] all = Logarithms(logits.AsSpan(row * width, width));
            for (int i = 0; i < width; i++) gradient[row * width + i] = slopes[row] * ((i == ids[row] ? 1 : 0) - Math.Exp(all[i]));
        }

        return gradient;
    }

    private static double[] Logarithms(ReadOnlySpan<float> logits)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float logit in logits) largest = Math.Max(largest, logit);
        foreach (float logit in logits) sum += Math.Exp(logit - largest);
        double[] values = new double[logits.Length];
        for (int i = 0; i < values.Length; i++) values[i] = logits[i] - largest - Math.Log(sum);
        return values;
    }
}
