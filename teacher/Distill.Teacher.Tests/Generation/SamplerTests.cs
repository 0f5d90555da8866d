using CsCheck;
using Distill.Generation;

namespace Distill.Teacher.Tests.Generation;

public sealed class SamplerTests
{
    private static readonly SamplingOptions Plain = new() { Temperature = 1 };

    private static readonly Gen<float[]> Logits = Gen.Float[-8, 8].Array[1, 200];

    [Fact]
    public void Greedy_takes_the_lowest_id_of_a_tie() =>
        new Sampler(5).Choose([1, 3, 2, 3, 3], SamplingOptions.Greedy, [], 0.9).Token.ShouldBe(1);

    [Fact]
    public void Greedy_sees_the_repetition_penalty()
    {
        var options = new SamplingOptions { RepetitionPenalty = 2 };
        new Sampler(3).Choose([1, 3, 2], options, [1], 0).Token.ShouldBe(2);
        new Sampler(3).Choose([-1, -3, -1.5f], options, [0], 0).Token.ShouldBe(2);
    }

    /// <summary>OpenAI's formula by hand: logit − count × frequency − presence where the completion has the token at all.</summary>
    [Fact]
    public void Penalties_by_count_subtract_from_what_the_completion_has_and_not_the_prompt()
    {
        int[] history = [0, 0, 0, 1, 2, 2, 3]; // three of the prompt, four of the completion
        var options = Plain with { FrequencyPenalty = 0.5, PresencePenalty = 0.25 };
        float[] logits = [1, 1, 1, 1, 1];
        float[] expected = [1, 1 - 0.75f, 1 - 1.25f, 1 - 0.75f, 1];
        var random = new RandomStream(1);
        var choice = new Sampler(5).Choose(logits, options, history, ref random, completionStart: 3);
        double normalizer = Math.Log(expected.Sum(score => Math.Exp(score)));
        choice.ProcessedLogProbability.ShouldBe((float)(expected[choice.Token] - normalizer), 1e-6f);
        choice.LogProbability.ShouldBe((float)-Math.Log(5), 1e-6f, "the raw distribution knows no penalty");
        for (int token = 0; token < 5; token++)
        {
            double before = expected.Take(token).Sum(score => Math.Exp(score - normalizer)), own = Math.Exp(expected[token] - normalizer);
            new Sampler(5).Choose(logits, options, history, before + (own / 2), 3).Token.ShouldBe(token);
        }
    }

    [Fact]
    public void Greedy_sees_the_penalties_by_count_and_negative_ones_encourage()
    {
        var sampler = new Sampler(3);
        sampler.Choose([1, 3, 2.5f], new SamplingOptions { PresencePenalty = 1 }, [1], 0).Token.ShouldBe(2);
        sampler.Choose([1, 3, 2.5f], new SamplingOptions { PresencePenalty = 1 }, [1], 0, completionStart: 1).Token.ShouldBe(1);
        sampler.Choose([1, 3, 2.5f], new SamplingOptions { FrequencyPenalty = -1 }, [0, 0, 0], 0).Token.ShouldBe(0);
        sampler.Choose([1, 3, 2.5f], SamplingOptions.Greedy, [], 0).Token.ShouldBe(1, "nothing is left over from the calls before");
    }

    [Fact]
    public void Nucleus_keeps_the_smallest_set_reaching_p() => Logits.Select(Gen.Double[0.01, 0.99]).Sample((logits, p) =>
    {
        float[] scores = new float[logits.Length];
        new Sampler(logits.Length).Process(logits, Plain with { TopP = p }, [], scores);
        double total = logits.Sum(x => Math.Exp(x));
        double[] kept = [.. scores.Where(float.IsFinite).Select(x => Math.Exp(x) / total).Order()];
        double[] dropped = [.. logits.Where((_, i) => !float.IsFinite(scores[i])).Select(x => Math.Exp(x) / total)];
        kept.Sum().ShouldBeGreaterThanOrEqualTo(p - 1e-5);
        (kept.Sum() - kept[0]).ShouldBeLessThanOrEqualTo(p + 1e-5);
        if (dropped.Length > 0) dropped.Max().ShouldBeLessThanOrEqualTo(kept[0] + 1e-7);
    });

    [Fact]
    public void Top_k_keeps_k_and_the_ties_of_the_last() => Gen.Int[0, 9].Array[2, 60].Select(Gen.Int[1, 60]).Sample((values, k) =>
    {
        float[] logits = [.. values.Select(v => (float)v)], scores = new float[values.Length];
        new Sampler(values.Length).Process(logits, Plain with { TopK = k }, [], scores);
        int least = values.OrderDescending().ElementAt(Math.Min(k, values.Length) - 1);
        scores.Count(float.IsFinite).ShouldBe(values.Count(v => v >= least));
    });

    [Fact]
    public void A_choice_follows_the_cumulative_distribution() => Logits.Select(Gen.Double[0, 0.999999]).Sample((logits, u) =>
    {
        int token = new Sampler(logits.Length).Choose(logits, Plain, [], u).Token;
        double total = logits.Sum(x => Math.Exp(x)), before = logits.Take(token).Sum(x => Math.Exp(x)) / total;
        before.ShouldBeLessThanOrEqualTo(u + 1e-5);
        (before + (Math.Exp(logits[token]) / total)).ShouldBeGreaterThanOrEqualTo(u - 1e-5);
    });

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Logits_that_are_not_finite_are_a_broken_model(float value)
    {
        Should.Throw<InvalidDataException>(() => new Sampler(3).Choose([0, value, 1], Plain, [], 0.5));
        Should.Throw<InvalidDataException>(() => new Sampler(3).Choose([0, value, 1], SamplingOptions.Greedy, [], 0.5));
    }

    [Fact]
    public void A_removed_token_is_never_chosen()
    {
        var sampler = new Sampler(3);
        sampler.Choose([float.NegativeInfinity, 0, float.NegativeInfinity], Plain, [], 0).Token.ShouldBe(1);
        sampler.Choose([float.NegativeInfinity, 0, float.NegativeInfinity], Plain, [], 1 - 1e-16).Token.ShouldBe(1);
    }

    [Fact]
    public void A_choice_allocates_nothing()
    {
        var sampler = new Sampler(1000);
        float[] logits = [.. Enumerable.Range(0, 1000).Select(i => MathF.Sin(i) * 5)];
        var options = new SamplingOptions
        {
            Temperature = 0.7, TopK = 50, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1, PresencePenalty = 1,
        };
        var random = new RandomStream(1);
        int[] history = [1, 2, 3];
        long Measure()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++) sampler.Choose(logits, options, history, ref random);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Measure();
        Measure().ShouldBe(0);
    }

    [Fact]
    public void Impossible_options_are_all_named()
    {
        var options = new SamplingOptions
        {
            Temperature = -1, TopK = -2, TopP = 1.5, MinP = double.NaN, RepetitionPenalty = 0, FrequencyPenalty = 2.1,
            PresencePenalty = double.NaN,
        };
        string message = Should.Throw<ArgumentException>(options.Validate).Message;
        string[] words = ["temperature", "top-k", "top-p", "min-p", "repetition", "frequency", "presence"];
        foreach (string word in words) message.ShouldContain(word);
    }

    [Fact]
    public void A_random_stream_is_the_published_SplitMix64()
    {
        // First outputs for seed 1234567 of Vigna's splitmix64.c: 6457827717110365317, 3203168211198807973.
        var random = new RandomStream(1234567);
        random.NextDouble().ShouldBe((6457827717110365317UL >> 11) / (double)(1UL << 53));
        random.NextDouble().ShouldBe((3203168211198807973UL >> 11) / (double)(1UL << 53));
    }
}
