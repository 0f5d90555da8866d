using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Student.Tests.Losses;

/// <summary>A golden case of a policy loss as rollouts and the loss that it is a case of.</summary>
internal static class PolicyCase
{
    private static readonly Problem AnyProblem = new("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");

    public static (double Value, double[] Slopes) Evaluate(LossFixture fixture, JsonObject golden, float[]? current = null)
    {
        float[] logps = current ?? fixture.Singles(golden, "logps");
        var rows = Rows(fixture, golden, logps);
        string type = TypeOf(golden);
        var (value, slopes) = Evaluate(LossOf(fixture, golden, rows), rows, logps.Length);
        // the others are means over the micro-batch
        double microBatches = type is "dapo" or "cispo" or "vespo" ? 1 : LossFixture.Parameter(golden, "micro_batches", 1);
        return (value / microBatches, [.. slopes.Select(slope => slope / microBatches)]);
    }

    /// <summary>Share of tokens, or of rows where these share a ratio, beyond each bound. Rows without tokens count as rows.</summary>
    public static (double Low, double High) Clips(LossFixture fixture, JsonObject golden)
    {
        float[] logps = fixture.Singles(golden, "logps");
        var rows = Rows(fixture, golden, logps);
        var loss = LossOf(fixture, golden, rows);
        Evaluate(loss, rows, logps.Length);
        double counted = LevelOf(golden) == RatioLevel.Token ? 1
            : (double)rows.Count / fixture.Shape(LossFixture.InputOf(golden, "mask"))[0];
        return (loss.Clips.Low * counted, loss.Clips.High * counted);
    }

    private static PolicyLoss LossOf(LossFixture fixture, JsonObject golden, List<(int[] Places, Rollout Rollout, float[] Current)> rows)
    {
        double beta = LossFixture.Parameter(golden, "beta", 0), share = LossFixture.Parameter(golden, "top_entropy_quantile", 1);
        double floor = share == 1 ? double.NegativeInfinity : EntropyFloor.Of(rows.SelectMany(row => row.Rollout.Entropies), share);
        return new PolicyLoss(
            SurrogateOf(golden), LevelOf(golden), DivisorOf(fixture, golden, rows.Sum(row => (long)row.Places.Length)), beta > 0
            ? new ReferenceTerm(beta, IsCorrected(golden)) : null, floor);
    }

    private static string TypeOf(JsonObject golden) => golden["params"]!["loss_type"]?.GetValue<string>() ?? "rloo";

    public static bool IsCorrected(JsonObject golden) => golden["params"]!["use_bias_correction_kl"]?.GetValue<bool>() is true;

    private static RatioLevel LevelOf(JsonObject golden) => TypeOf(golden) is "rloo" or "vespo" ? RatioLevel.Product
        : golden["params"]!["importance_sampling_level"]?.GetValue<string>() == "sequence" ? RatioLevel.Sequence : RatioLevel.Token;

    private static PolicyDivisor DivisorOf(LossFixture fixture, JsonObject golden, long tokens)
    {
        var aggregation = TypeOf(golden) switch
        {
            "grpo" or "sapo" or "rloo" => PolicyAggregation.Sequence,
            "dr_grpo" => PolicyAggregation.TokenLimit,
            "luspo" => PolicyAggregation.SequenceSum,
            _ => PolicyAggregation.Token,
        };
        if (TypeOf(golden) is not "bnpo") tokens = (long)LossFixture.Parameter(golden, "num_items_in_batch", tokens);
        int sequences = (int)fixture.Shape(LossFixture.InputOf(golden, "mask"))[0]; // rows without tokens count
        return new PolicyDivisor(aggregation, tokens, sequences, (int)LossFixture.Parameter(golden, "max_completion_length", 0));
    }

    private static IPolicySurrogate SurrogateOf(JsonObject golden)
    {
        double Value(string name, double fallback = double.NaN) => LossFixture.Parameter(golden, name, fallback);
        return TypeOf(golden) switch
        {
            "cispo" => new CappedWeightSurrogate(Value("epsilon_high")),
            "sapo" => new SoftGateSurrogate(Value("sapo_temperature_pos"), Value("sapo_temperature_neg")),
            "vespo" => new GammaWeightSurrogate(
                new GammaWeight(Value("k_pos"), Value("lambda_pos")), new GammaWeight(Value("k_neg"), Value("lambda_neg"))),
            _ => new ClippedSurrogate(Value("epsilon_low"), Value("epsilon_high"), Value("delta", double.PositiveInfinity)),
        };
    }

    public static List<(int[] Places, Rollout Rollout, float[] Current)> Rows(LossFixture fixture, JsonObject golden, float[] current)
    {
        float[] advantages = fixture.Singles(golden, "advantages");
        float[] reference = LossFixture.Has(golden, "ref_logps") ? fixture.Singles(golden, "ref_logps") : new float[current.Length];
        float[] entropies = LossFixture.Has(golden, "entropies") ? fixture.Singles(golden, "entropies") : [];
        var rows = Rows(fixture, golden, current, fixture.Singles(golden, "old_logps"), reference, row => advantages[row]);
        return entropies.Length == 0 ? rows
            : [.. rows.Select(
                row => (row.Places, row.Rollout with { Entropies = [.. row.Places.Select(place => entropies[place])] }, row.Current))];
    }

    public static List<(int[] Places, Rollout Rollout, float[] Current)> Rows(
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
                .Select(row => (
                    row.Places,
                    Of(row.Places, sampled, reference, advantage(row.Row)),
                    row.Places.Select(place => current[place]).ToArray())),
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

    public static (double Value, double[] Slopes) Evaluate(
        ITokenLoss loss, List<(int[] Places, Rollout Rollout, float[] Current)> rows, int count)
    {
        double[] slopes = new double[count];
        if (rows.Count == 0) return (0, slopes);
        float[] current = [.. rows.SelectMany(row => row.Current)], derivatives = new float[current.Length];
        double value = loss.Evaluate(new TokenBatch([.. rows.Select(row => row.Rollout)]), current, derivatives);
        foreach (var (place, index) in rows.SelectMany(row => row.Places).Select((place, index) => (place, index)))
            slopes[place] = derivatives[index];
        return (value, slopes);
    }

    public static double[] ByLogits(float[] logits, int width, int[] ids, double[] slopes)
    {
        double[] gradient = new double[logits.Length];
        for (int row = 0; row < ids.Length; row++)
        {
            double[] all = Logarithms(logits.AsSpan(row * width, width));
            for (int i = 0; i < width; i++) gradient[row * width + i] = slopes[row] * ((i == ids[row] ? 1 : 0) - Math.Exp(all[i]));
        }

        return gradient;
    }

    public static double[] Logarithms(ReadOnlySpan<float> logits)
    {
        double largest = double.NegativeInfinity, sum = 0;
        foreach (float logit in logits) largest = Math.Max(largest, logit);
        foreach (float logit in logits) sum += Math.Exp(logit - largest);
        double[] values = new double[logits.Length];
        for (int i = 0; i < values.Length; i++) values[i] = logits[i] - largest - Math.Log(sum);
        return values;
    }
}
