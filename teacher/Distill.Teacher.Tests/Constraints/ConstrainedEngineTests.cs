using Distill.Generation;
using Distill.Generation.Constraints;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;
using static Distill.Teacher.Tests.Constraints.ConstrainedText;

namespace Distill.Teacher.Tests.Constraints;

/// <summary>Constraints within the engine: with every option, in every batch, wherever tokens are chosen.</summary>
public sealed class ConstrainedEngineTests
{
    private const string Schema = """
        {"type": "object", "properties": {"id": {"type": "integer", "maximum": 99999}, "word": {"type": "string", "maxLength": 12},
         "list": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3}}, "required": ["id", "word"]}
        """;

    private static readonly Tokenizer s_tokenizer = TinyTokenizer.Tokenizer;
    private static readonly int s_end = TinyTokenizer.Encoder.EndToken;

    private static readonly SamplingOptions[] s_options =
    [
        SamplingOptions.Greedy, new() { Temperature = 1 }, new() { Temperature = 0.7, TopP = 0.8, TopK = 5 },
        new() { Temperature = 1.5, MinP = 0.02, RepetitionPenalty = 1.3, FrequencyPenalty = 0.5, PresencePenalty = 0.2 },
        new()
        {
            Temperature = 1, LogitBias = new Dictionary<int, float> { [TinyTokenizer.Tokens("z")[0]] = 8, [TinyTokenizer.Close] = -5 },
        },
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_row_obeys_and_does_not_depend_on_its_batch(bool sessionChooses)
    {
        using var scripted = Untrained(s_tokenizer, 3, 400);
        using ITokenModel model = sessionChooses ? new SelfSamplingModel(scripted) : scripted;
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 12).Select(i => new GenerationRequest
            {
                Prompt = [.. Enumerable.Range(0, 3 + i).Select(at => 20 + at)], MaxNewTokens = 300, StopTokens = [s_end], Seeds = [1, 2, 3],
                SamplingBySeed = [s_options[i % 5], s_options[(i + 1) % 5], s_options[(i + 2) % 5]], TopLogProbabilities = i % 3,
                Constraint = i % 4 == 3 ? null : JsonConstraint.OfSchema(Read(Schema), s_tokenizer),
            }),
        ];
        var together = new BatchGenerator(model, slots: 7).Complete(requests);
        var alone = requests.Select(request => new BatchGenerator(model, slots: 1).Complete([request])[0]).ToArray();
        int finished = 0;
        for (int i = 0; i < requests.Length; i++)
        {
            for (int seed = 0; seed < 3; seed++)
            {
                together[i][seed].Tokens.ShouldBe(alone[i][seed].Tokens);
                together[i][seed].ProcessedLogProbabilities.ShouldBe(alone[i][seed].ProcessedLogProbabilities);
                if (requests[i].Constraint is null || together[i][seed].StopReason != StopReason.StopToken) continue;
                finished++;
                Read(Answer(together[i][seed])).GetProperty("id").GetDouble().ShouldBeLessThan(100_000); // 1e3 is an integer too
            }
        }

        finished.ShouldBeGreaterThan(15);
    }

    [Fact]
    public void Probabilities_reported_are_the_models_own()
    {
        using var model = Untrained(s_tokenizer, 4, 200);
        var request = new GenerationRequest
        {
            Prompt = [TinyTokenizer.Close], MaxNewTokens = 1, StopTokens = [s_end], Seeds = [1], TopLogProbabilities = 5,
            Sampling = new SamplingOptions { Temperature = 1 },
        };
        var generator = new BatchGenerator(model);
        var free = generator.Complete([request])[0][0];
        var bound = generator.Complete([request with { Constraint = JsonConstraint.AnyObject(s_tokenizer) }])[0][0];
        float[] logits = new float[s_tokenizer.VocabularySize];
        using var session = model.Open(1, 10);
        session.Prefill(0, [TinyTokenizer.Close], logits);
        double total = logits.Sum(logit => Math.Exp(logit));
        bound.LogProbabilities[0].ShouldBe((float)(logits[bound.Tokens[0]] - Math.Log(total)), 1e-5f);
        int[] opening = [.. " {\n\t".Select(c => TinyTokenizer.Tokens(c.ToString())[0])]; // what an object may begin with
        double allowed = opening.Sum(token => Math.Exp(logits[token]));
        bound.ProcessedLogProbabilities[0].ShouldBe((float)(logits[bound.Tokens[0]] - Math.Log(allowed)), 1e-5f);
        bound.Top!.Ids.ShouldBe(free.Top!.Ids);
        bound.Top.LogProbabilities.ShouldBe(free.Top.LogProbabilities);
        bound.Top.Processed.ShouldAllBe(value => float.IsNegativeInfinity(value) || value <= 0);
        opening.ShouldContain(bound.Tokens[0]);
    }

    [Fact]
    public void A_reply_that_the_limit_cuts_says_so()
    {
        using var model = Untrained(s_tokenizer, 5, 200);
        var cut = new BatchGenerator(model).Complete([new GenerationRequest
        {
            Prompt = [TinyTokenizer.Close], MaxNewTokens = 6, StopTokens = [s_end], Seeds = [1],
            Constraint = JsonConstraint.OfSchema(Read("""{"type": "string", "minLength": 50}"""), s_tokenizer),
        }])[0][0];
        (cut.StopReason, cut.Tokens.Count).ShouldBe((StopReason.Length, 6));
    }

    [Fact]
    public void Thoughts_are_free_and_are_not_the_end()
    {
        var constraint = JsonConstraint.AnyObject(s_tokenizer);
        // Opened by the prompt, or by the model; where the prompt has closed it, there is no more thinking.
        var opened = constraint.Begin([20, TinyTokenizer.Open, 30], [s_end]);
        Has(opened.Allowed, TinyTokenizer.Tokens("x")[0]).ShouldBeTrue();
        Has(opened.Allowed, s_end).ShouldBeFalse();
        opened.Advance(TinyTokenizer.Tokens("x")[0]);
        opened.Advance(TinyTokenizer.Close);
        Has(opened.Allowed, TinyTokenizer.Tokens("x")[0]).ShouldBeFalse();
        Has(opened.Allowed, TinyTokenizer.Open).ShouldBeFalse();
        var closed = constraint.Begin([20, .. TinyTokenizer.Tokens("<think>\n\n</think>\n\n")], [s_end]);
        Has(closed.Allowed, TinyTokenizer.Open).ShouldBeFalse();
        var earlier = constraint.Begin([.. TinyTokenizer.Tokens("<think>a</think>b<|user|>c<|assistant|>")], [s_end]);
        Has(earlier.Allowed, TinyTokenizer.Open).ShouldBeTrue();
        Has(earlier.Allowed, TinyTokenizer.Tokens("{")[0]).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_constraint_that_fails_ends_its_own_request_and_no_other(int when)
    {
        using var model = Untrained(s_tokenizer, 5, 200);
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 2 });
        var good = new GenerationRequest { Prompt = [TinyTokenizer.Close], MaxNewTokens = 20, StopTokens = [s_end], Seeds = [1] };
        var running = engine.CompleteAsync(good);
        var fault = await Should.ThrowAsync<ConstraintFault>(
            () => engine.CompleteAsync(good with { Constraint = new Failing(when), Seeds = [1, 2] }));
        fault.Message.ShouldContain("on purpose");
        (await running)[0].Tokens.ShouldNotBeEmpty();
        (await engine.CompleteAsync(good))[0].Tokens.ShouldNotBeEmpty();
        engine.Fault.ShouldBeNull();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void Stop_tokens_that_are_none_are_refused(int token)
    {
        using var model = Untrained(s_tokenizer, 5, 200);
        var request = new GenerationRequest { Prompt = [5], MaxNewTokens = 6, Seeds = [1], StopTokens = [token] };
        Should.Throw<ArgumentException>(() => new BatchGenerator(model).Complete([request])).Message.ShouldContain("Stop token");
    }

    [Fact]
    public void What_cannot_end_is_refused()
    {
        using var model = Untrained(s_tokenizer, 5, 200);
        var request = new GenerationRequest
        {
            Prompt = [5], MaxNewTokens = 6, Seeds = [1], Constraint = JsonConstraint.AnyObject(s_tokenizer),
        };
        Should.Throw<ArgumentException>(() => new BatchGenerator(model).Complete([request])).Message.ShouldContain("stop token");
    }

    /// <summary>Fails at its beginning, before the first token, or after it.</summary>
    private sealed class Failing(int when) : ITokenConstraint, ITokenConstraintState
    {
        private static readonly ulong[] s_all = [.. Enumerable.Repeat(ulong.MaxValue >> 1, 8)];

        public ReadOnlySpan<ulong> Allowed => when == 1 ? throw new TimeoutException("on purpose") : s_all;

        public ITokenConstraintState Begin(IReadOnlyList<int> prompt, IReadOnlyList<int> stopTokens) =>
            when == 0 ? throw new TimeoutException("on purpose") : this;

        public void Advance(int token) => throw new TimeoutException("on purpose");
    }

    private static string Answer(Completion completion) => s_tokenizer.Decode(
        [.. completion.Tokens.Skip(completion.Tokens.ToList().LastIndexOf(TinyTokenizer.Close) + 1).SkipLast(1)]);
}
