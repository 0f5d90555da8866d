using CsCheck;
using Distill.Generation;
using Distill.Generation.Torch.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Teacher.Tests.Torch;

/// <summary>The kernels that choose tokens where the logits are, against the sampler of the host, which golden values hold.</summary>
public sealed class TokenKernelTests
{
    private static readonly Gen<SamplingOptions> Options = Gen.Select(
        Of(0, 1, 0.3, 0.7, 1.6), Of(0, 1, 5, 50, 1000), Of(1, 0.9, 0.5, 0.01),
        Of(0, 0.05, 0.5, 1), Of(1, 1.2, 0.8), Gen.Int[0, 3],
        (temperature, topK, topP, minP, penalty, biased) => new SamplingOptions
        {
            Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = penalty,
            FrequencyPenalty = biased == 1 ? 0.3 : 0, PresencePenalty = biased == 2 ? -1.1 : biased == 1 ? 0.8 : 0,
            LogitBias = biased == 0 ? null
                : Enumerable.Range(0, biased).ToDictionary(i => i * 7, i => i == 2 ? float.NegativeInfinity : 3f - (2 * i)),
        });

    private static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    // Several blocks, and a vocabulary that does not fill the last one.
    private static readonly Gen<int> Vocabularies = Of(17, 64, 200, 1024, 3001);

    [Fact]
    public void Rows_of_any_options_choose_in_one_pass_what_the_sampler_chooses() =>
        Gen.Select(Vocabularies, Options.Array[1, 6], Gen.Int[0, 1 << 20], Gen.Int[0, 5]).Sample((vocabulary, options, seed, top) =>
        {
            var random = new Random(seed);
            int rows = options.Length;
            float[] logits = [.. Enumerable.Range(0, rows * vocabulary).Select(_ => (float)((random.NextDouble() * 16) - 8))];
            int[] history = [.. Enumerable.Range(0, 9).Select(_ => random.Next(vocabulary)), 0, 0];
            TokenQuery[] queries = [.. options.Select((each, row) =>
                new TokenQuery(each, random.NextDouble(), history, row % 2 == 0 ? top : 0, CompletionStart: 4))];
            var answers = Choose(logits, queries);
            var sampler = new Sampler(vocabulary);
            for (int row = 0; row < rows; row++)
            {
                ReadOnlySpan<float> own = logits.AsSpan(row * vocabulary, vocabulary);
                TokenChoice expected = sampler.Choose(own, options[row], history, queries[row].Uniform, completionStart: 4);
                TokenChoice actual = answers.Choice(row);
                actual.Token.ShouldBe(expected.Token, $"{options[row]}");
                actual.LogProbability.ShouldBe(expected.LogProbability, 2e-6f);
                actual.ProcessedLogProbability.ShouldBe(expected.ProcessedLogProbability, 2e-6f);
                actual.KeptMass.ShouldBe(expected.KeptMass, 2e-6f);
                if (queries[row].Top == 0) continue;
                int[] ids = new int[answers.Top];
                float[] raw = new float[ids.Length], processed = new float[ids.Length];
                sampler.CopyTop(own, options[row].IsGreedy ? expected.Token : null, ids, raw, processed);
                answers.TopIds(row).ToArray().ShouldBe(ids);
                for (int i = 0; i < ids.Length; i++)
                {
                    answers.TopRaw(row)[i].ShouldBe(raw[i], 2e-6f);
                    if (float.IsFinite(processed[i])) answers.TopProcessed(row)[i].ShouldBe(processed[i], 4e-6f);
                    else answers.TopProcessed(row)[i].ShouldBe(processed[i]);
                }
            }
        }, iter: 150, threads: 1);

    // No multiple of 1/n for any number of tokens here: of n equal ones it never lies at the border of two, where rounding decides.
    private const double Uniform = 0.35123457;

    // float16 logits of a large vocabulary tie all the time, and ids decide then.
    [Fact]
    public void Ties_go_to_the_lowest_ids() => Gen.Select(Gen.Int[-4, 4].Array[2, 300], Gen.Int[1, 40]).Sample((values, top) =>
    {
        float[] logits = [.. values.Select(value => value == 4 ? float.NegativeInfinity : value / 2f)];
        if (logits.All(float.IsNegativeInfinity)) return;
        var sampler = new Sampler(logits.Length);
        SamplingOptions[] options =
            [SamplingOptions.Greedy, new() { Temperature = 1, TopK = Math.Min(top, logits.Length) }, new() { Temperature = 1, TopP = 0.4 }];
        foreach (var each in options)
        {
            var answers = Choose(logits, [new TokenQuery(each, Uniform, default, top)]);
            answers.Choice(0).Token.ShouldBe(sampler.Choose(logits, each, [], Uniform).Token, $"{each}");
            int[] ids = new int[Math.Min(top, logits.Length)];
            sampler.CopyTop(logits, null, ids, new float[ids.Length], new float[ids.Length]);
            answers.TopIds(0).ToArray().ShouldBe(ids);
        }
    }, iter: 200, threads: 1);

    // So flat that top-p keeps more than the tokens that are looked at first: the others are looked at then.
    [Fact]
    public void A_flat_distribution_is_looked_at_as_a_whole()
    {
        float[] logits = [.. Enumerable.Range(0, 4000).Select(i => MathF.Sin(i) * 0.01f)];
        var nucleus = new SamplingOptions { Temperature = 1, TopP = 0.9 };
        foreach (var options in (SamplingOptions[])[nucleus, nucleus with { TopK = 3000 }])
        {
            foreach (double uniform in (double[])[0.1, 0.5, 0.97])
            {
                var expected = new Sampler(logits.Length).Choose(logits, options, [], uniform);
                var actual = Choose(logits, [new(options, uniform, default, 0)]).Choice(0);
                actual.Token.ShouldBe(expected.Token);
                actual.KeptMass.ShouldBe(expected.KeptMass, 1e-6f);
            }
        }

        using var scope = NewDisposeScope();
        var flat = TokenKernels.Choose(tensor(logits, [1, logits.Length]), [new(nucleus, 0.5, default, 0)]);
        flat[0, 0].item<double>().ShouldBe(1);
    }

    [Theory]
    [InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void A_row_that_is_not_finite_is_told_and_the_others_go_on(float value)
    {
        float[] logits = [0, value, 1, 3, 1, 2];
        var plain = new SamplingOptions { Temperature = 1, TopK = 2, TopP = 0.9 };
        foreach (var options in (SamplingOptions[])[plain, SamplingOptions.Greedy])
        {
            var answers = Choose(logits, [new(options, 0.2, default, 2), new(options, 0.2, default, 2)]);
            Should.Throw<InvalidDataException>(() => answers.Choice(0)).Message.ShouldContain("not finite");
            answers.Choice(1).Token.ShouldBe(0);
        }
    }

    [Fact]
    public void A_bias_that_forbids_every_token_is_told()
    {
        var options = new SamplingOptions
        {
            Temperature = 1, LogitBias = new Dictionary<int, float> { [0] = float.NegativeInfinity, [1] = float.NegativeInfinity },
        };
        var answers = Choose([1, 2, 1, 2], [new(options, 0.2, default, 0), new(SamplingOptions.Greedy, 0, default, 0)]);
        Should.Throw<InvalidDataException>(() => answers.Choice(0)).Message.ShouldContain("leaves no token");
        answers.Choice(1).Token.ShouldBe(1);
    }

    [Fact]
    public void A_removed_token_is_never_chosen()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity];
        var plain = new SamplingOptions { Temperature = 1 };
        foreach (double uniform in (double[])[0, 0.5, 1 - 1e-16])
            Choose(logits, [new(plain, uniform, default, 0)]).Choice(0).Token.ShouldBe(1);
    }

    [Fact]
    public void Half_precision_logits_are_read_as_they_are()
    {
        using var scope = NewDisposeScope();
        float[] logits = [.. Enumerable.Range(0, 130).Select(i => (float)(Half)(MathF.Sin(i) * 5))];
        foreach (var type in (ScalarType[])[ScalarType.Float16, ScalarType.BFloat16])
        {
            var stored = tensor(logits, [1, 130]).to(type);
            float[] read = stored.to(ScalarType.Float32).data<float>().ToArray();
            var answers = new TokenAnswers();
            HostTable.Choose(stored, [new(SamplingOptions.Greedy, 0, default, 3)], answers);
            var expected = new Sampler(130).Choose(read, SamplingOptions.Greedy, [], 0);
            answers.Choice(0).Token.ShouldBe(expected.Token);
            answers.Choice(0).LogProbability.ShouldBe(expected.LogProbability, 2e-6f);
        }
    }

    [Fact]
    public void Given_tokens_score_as_on_the_host() => Gen.Select(Vocabularies, Gen.Int[1, 9], Gen.Int[0, 4], Gen.Int).Sample(
        (vocabulary, positions, top, seed) =>
        {
            var random = new Random(seed);
            float[] logits = [.. Enumerable.Range(0, positions * vocabulary).Select(_ => (float)((random.NextDouble() * 30) - 15))];
            long[] following = [.. Enumerable.Range(0, positions).Select(_ => (long)random.Next(vocabulary))];
            using var scope = NewDisposeScope();
            var scores = new FollowingScores(new double[positions], top, new int[positions * top], new float[positions * top]);
            new HostTable(TokenKernels.Score(tensor(logits, [positions, vocabulary]), tensor(following), top)).CopyTo(scores, 0, positions);
            var best = new TopTokens();
            for (int position = 0; position < positions; position++)
            {
                ReadOnlySpan<float> row = logits.AsSpan(position * vocabulary, vocabulary);
                double normalizer = LogSoftmax.Normalizer(row);
                scores.LogProbabilities.Span[position].ShouldBe(row[(int)following[position]] - normalizer, 2e-6);
                scores.TopIds.Slice(position * top, top).ToArray().ShouldBe(best.Ids(best.Select(row, top)).ToArray());
                for (int rank = 0; rank < top; rank++)
                {
                    int place = (position * top) + rank;
                    scores.TopValues.Span[place].ShouldBe((float)(row[scores.TopIds.Span[place]] - normalizer), 2e-6f);
                }
            }
        }, iter: 60, threads: 1);

    /// <summary>On a meta tensor there are no values: whatever asked for one on the way, to decide or to copy, would raise.</summary>
    [Theory]
    [InlineData(1024), InlineData(1000)]
    public void No_value_is_read_back_before_the_table_is_ready(int vocabulary)
    {
        using var scope = NewDisposeScope();
        var meta = new Device(DeviceType.META);
        var all = new SamplingOptions
        {
            Temperature = 0.7, TopK = 20, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1,
            FrequencyPenalty = 1, LogitBias = new Dictionary<int, float> { [3] = 1 },
        };
        TokenQuery[] mixed =
        [
            new(all, 0.3, new int[] { 1, 2, 2 }, 4), new(SamplingOptions.Greedy, 0, default, 0),
            new(new() { Temperature = 1 }, 0.5, default, 2),
        ];
        foreach (var queries in (TokenQuery[][])[mixed, [mixed[0]], [mixed[1]], [mixed[2]]])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16])
            {
                var logits = empty([queries.Length, vocabulary], type, meta);
                var table = TokenKernels.Choose(logits, queries);
                table.device_type.ShouldBe(DeviceType.META);
                table.shape.ShouldBe([queries.Length, 6 + (3 * queries.Max(query => query.Top))]);
                var scores = TokenKernels.Score(logits, empty([queries.Length], ScalarType.Int64, meta), 3);
                (scores.device_type, scores.shape[1]).ShouldBe((DeviceType.META, 8));
            }
        }

        Should.Throw<Exception>(() => empty([1], ScalarType.Float64, meta).cpu()); // what the test relies on
        Should.Throw<Exception>(() => empty([1], ScalarType.Float64, meta).item<double>());
    }

    internal static TokenAnswers Choose(float[] logits, params ReadOnlySpan<TokenQuery> queries)
    {
        using var scope = NewDisposeScope();
        var answers = new TokenAnswers();
        HostTable.Choose(tensor(logits, [queries.Length, logits.Length / queries.Length]), queries, answers);
        return answers;
    }
}
