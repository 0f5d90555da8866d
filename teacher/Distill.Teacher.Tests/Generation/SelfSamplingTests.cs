using CsCheck;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Generation;

/// <summary>Sessions that choose tokens themselves, against those that give logits to the host: the same completions, bit by bit.</summary>
public sealed class SelfSamplingTests
{
    private const int Vocabulary = 17;

    private static readonly SamplingOptions[] Samplings =
    [
        SamplingOptions.Greedy, new() { Temperature = 1 }, new() { Temperature = 0.7, TopK = 5, TopP = 0.8 },
        new() { Temperature = 1.4, MinP = 0.1, RepetitionPenalty = 1.3, LogitBias = new Dictionary<int, float> { [4] = -3 } },
        new() { Temperature = 1, FrequencyPenalty = 0.7, PresencePenalty = -0.4 }, new() { PresencePenalty = 2 },
    ];

    private static readonly Gen<GenerationRequest[]> Requests = Gen.Select(
        Gen.Int[0, Vocabulary - 1].Array[1, 6], Gen.Int[1, 9], Gen.Int[0, Samplings.Length - 1].Array[0, 6], Gen.Int[0, 3], Gen.Bool,
        (prompt, tokens, samplings, top, scored) => new GenerationRequest
        {
            Prompt = prompt, MaxNewTokens = tokens, StopTokens = [3, 5], TopLogProbabilities = top, ScorePrompt = scored,
            Seeds = [.. samplings.Select((_, i) => (ulong)(i * 31))], SamplingBySeed = [.. samplings.Select(i => Samplings[i])],
        }).Array[0, 8];

    private static ScriptedTokenModel Scripted(int maxLength = 12) => new(Vocabulary, maxLength, (sequence, logits) =>
    {
        ulong hash = 17;
        foreach (int token in sequence) hash = SeedSequence.Derive(hash, (ulong)token, 0);
        for (int token = 0; token < logits.Length; token++) logits[token] = SeedSequence.Derive(hash, (ulong)token, 1) % 1000 / 250f;
    });

    [Fact]
    public void Completions_are_those_of_sessions_that_give_logits() =>
        Gen.Select(Requests, Gen.Int[1, 9], Gen.Int[1, 2]).Sample((requests, slots, workers) =>
        {
            using var host = Scripted();
            using var own = new SelfSamplingModel(Scripted());
            var expected = new BatchGenerator(host, slots: slots).Complete(requests);
            var actual = new BatchGenerator(own, slots: slots, workers: workers).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
            {
                for (int seed = 0; seed < expected[i].Length; seed++) ShouldBeSame(actual[i][seed], expected[i][seed]);
            }
        }, iter: 300, threads: 1);

    [Fact]
    public void Samples_of_one_prompt_begin_in_one_call()
    {
        using var model = new SelfSamplingModel(Scripted(64));
        var request = new GenerationRequest
        {
            Prompt = [1, 2, 4], MaxNewTokens = 5, Sampling = Samplings[1], Seeds = [1, 2, 3, 4, 5, 6, 7, 8],
        };
        var totals = new BatchGenerator(model, slots: 8).Run([request], (_, _, _) => { });
        (totals.Prefills, totals.Copies, totals.CompletionTokens, model.Choices).ShouldBe((1, 7, 40, 5));
    }

    [Fact]
    public void More_samples_of_one_token_than_slots_need_no_step()
    {
        using var model = new SelfSamplingModel(Scripted());
        var request = new GenerationRequest { Prompt = [1, 2], MaxNewTokens = 1, Sampling = Samplings[1], Seeds = [1, 2, 3, 4, 5, 6, 7] };
        var totals = new BatchGenerator(model, slots: 3).Run([request, request with { Prompt = [2] }], (_, _, _) => { });
        (totals.Completions, totals.Steps, totals.Prefills).ShouldBe((14, 0, 2));
    }

    [Fact]
    public void The_engine_serves_callers_who_come_and_go() =>
        Gen.Select(Requests, Gen.Int[1, 4], Gen.Int[1, 20]).Sample((requests, slots, promptTokens) =>
        {
            using var host = Scripted();
            using var own = new SelfSamplingModel(Scripted());
            var expected = new BatchGenerator(host, slots: 1).Complete(requests);
            using var engine = new GenerationEngine(own, new EngineOptions { Slots = slots, PromptTokensPerStep = promptTokens });
            using var leaving = new CancellationTokenSource();
            var left = requests.FirstOrDefault(request => request.Seeds.Count > 0) is { } some
                ? Task.Run(() => engine.CompleteAsync(some, leaving.Token)) : null;
            leaving.Cancel();
            var actual = Task.WhenAll(requests.Select(request => Task.Run(() => engine.CompleteAsync(request)))).GetAwaiter().GetResult();
            for (int i = 0; i < requests.Length; i++)
            {
                for (int seed = 0; seed < expected[i].Length; seed++) ShouldBeSame(actual[i][seed], expected[i][seed]);
            }

            if (left is not null) Record.Exception(() => left.GetAwaiter().GetResult());
        }, iter: 60, threads: 1);

    [Fact]
    public async Task Logits_that_are_not_finite_end_their_request_alone()
    {
        using var model = new SelfSamplingModel(new ScriptedTokenModel(3, 40, (sequence, logits) =>
        {
            logits.Clear();
            if (sequence[0] == 2 && sequence.Length > 3) logits[0] = float.NaN;
        }));
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 3 });
        var request = new GenerationRequest { Prompt = [1], MaxNewTokens = 9, Seeds = [0], Sampling = Samplings[1] };
        var good = engine.CompleteAsync(request, TestContext.Current.CancellationToken);
        var bad = engine.CompleteAsync(request with { Prompt = [2] }, TestContext.Current.CancellationToken);
        (await good)[0].Tokens.Count.ShouldBe(9);
        (await Should.ThrowAsync<InvalidDataException>(() => bad)).Message.ShouldContain("not finite");
    }

    private static void ShouldBeSame(Completion actual, Completion expected)
    {
        actual.Tokens.ShouldBe(expected.Tokens);
        actual.StopReason.ShouldBe(expected.StopReason);
        actual.LogProbabilities.ShouldBe(expected.LogProbabilities);
        actual.ProcessedLogProbabilities.ShouldBe(expected.ProcessedLogProbabilities);
        actual.KeptMass.ShouldBe(expected.KeptMass);
        (actual.Top?.Count).ShouldBe(expected.Top?.Count);
        if (expected.Top is { } top)
        {
            actual.Top!.Ids.ShouldBe(top.Ids);
            actual.Top.LogProbabilities.ShouldBe(top.LogProbabilities);
            actual.Top.Processed.ShouldBe(top.Processed);
        }

        (actual.Prompt?.LogProbabilities).ShouldBe(expected.Prompt?.LogProbabilities);
        (actual.Prompt?.Top?.Ids).ShouldBe(expected.Prompt?.Top?.Ids);
    }
}
