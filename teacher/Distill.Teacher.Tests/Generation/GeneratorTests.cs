using CsCheck;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Generation;

public sealed class GeneratorTests
{
    private const int Vocabulary = 17;
    private const int Stop = 3;

    private static readonly SamplingOptions Plain = new() { Temperature = 1 };

    private static readonly Gen<GenerationRequest[]> Requests = Gen.Select(
        Gen.Int[0, Vocabulary - 1].Array[1, 6], Gen.Int[1, 9], Gen.ULong.Array[0, 5], Gen.Bool, Gen.Bool,
        (prompt, tokens, seeds, greedy, stops) => new GenerationRequest
        {
            Prompt = prompt,
            MaxNewTokens = tokens,
            Seeds = seeds,
            Sampling = greedy ? SamplingOptions.Greedy : Plain,
            StopTokens = stops ? [Stop, 5] : [],
        }).Array[0, 8];

    // Logits depend on every token and its place, so that a mixed-up cache changes what is generated.
    private static ScriptedTokenModel Model(int maxLength = 12) => new(Vocabulary, maxLength, (sequence, logits) =>
    {
        ulong hash = 17;
        foreach (int token in sequence) hash = SeedSequence.Derive(hash, (ulong)token, 0);
        for (int token = 0; token < logits.Length; token++) logits[token] = SeedSequence.Derive(hash, (ulong)token, 1) % 1000 / 250f;
    });

    [Fact]
    public void Completions_depend_neither_on_slots_nor_on_workers_nor_on_company() =>
        Gen.Select(Requests, Gen.Int[1, 9], Gen.Int[1, 3]).Sample((requests, slots, workers) =>
        {
            using var model = Model();
            var together = new BatchGenerator(model, slots: slots, workers: workers).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
            {
                for (int seed = 0; seed < requests[i].Seeds.Count; seed++)
                {
                    var alone = new BatchGenerator(model, slots: 1).Complete(
                        [requests[i] with { Seeds = [requests[i].Seeds[seed]] }])[0][0];
                    ShouldBeSame(together[i][seed], alone);
                }
            }
        }, iter: 200);

    [Fact]
    public void Every_completion_obeys_its_request() => Gen.Select(Requests, Gen.Int[1, 9]).Sample((requests, slots) =>
    {
        using var model = Model();
        var completions = new BatchGenerator(model, slots: slots).Complete(requests);
        for (int i = 0; i < requests.Length; i++)
        {
            int limit = Math.Min(requests[i].MaxNewTokens, model.MaxLength - requests[i].Prompt.Count);
            completions[i].Length.ShouldBe(requests[i].Seeds.Count);
            foreach (var (completion, seed) in completions[i].Zip(requests[i].Seeds))
            {
                completion.Seed.ShouldBe(seed);
                completion.Tokens.Count.ShouldBe(completion.LogProbabilities.Count);
                completion.Tokens.SkipLast(1).ShouldAllBe(token => !requests[i].StopTokens.Contains(token));
                if (completion.StopReason == StopReason.StopToken) requests[i].StopTokens.ShouldContain(completion.Tokens[^1]);
                else completion.Tokens.Count.ShouldBe(limit);
                completion.LogProbabilities.ShouldAllBe(value => value <= 0);
            }
        }
    }, iter: 300);

    [Fact]
    public void Samples_of_one_prompt_cost_one_prefill_and_a_copy_each()
    {
        using var model = Model(maxLength: 64);
        var request = new GenerationRequest { Prompt = [1, 2, 4], MaxNewTokens = 5, Sampling = Plain, Seeds = [1, 2, 3, 4, 5, 6, 7, 8] };
        var totals = new BatchGenerator(model, slots: 8).Run([request], (_, _, _) => { });
        (totals.Prefills, totals.Copies, totals.PromptTokens, totals.CompletionTokens).ShouldBe((1, 7, 3, 40));
    }

    [Fact]
    public void More_seeds_than_slots_still_cost_one_prefill() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 12]).Sample((slots, seeds) =>
        {
            using var model = Model();
            var request = new GenerationRequest
            {
                Prompt = [1, 2], MaxNewTokens = 8, Sampling = Plain, StopTokens = [Stop, 7, 9],
                Seeds = [.. Enumerable.Range(0, seeds).Select(i => (ulong)i)],
            };
            new BatchGenerator(model, slots: slots).Run([request], (_, _, _) => { }).Prefills.ShouldBe(1);
        }, iter: 100);

    [Fact]
    public void A_freed_slot_is_taken_at_once()
    {
        using var model = Model(maxLength: 200);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 24).Select(i => new GenerationRequest
        {
            Prompt = [i % Vocabulary], MaxNewTokens = 1 + (i * 7 % 30), Seeds = [0],
        })];
        var totals = new BatchGenerator(model, slots: 4).Run(requests, (_, _, _) => { });

        // The first token of each completion comes from its prefill. Only the drain at the end may leave slots idle.
        totals.RowSteps.ShouldBe(totals.CompletionTokens - totals.Completions);
        totals.Steps.ShouldBeLessThanOrEqualTo((totals.RowSteps / 4) + 30);
    }

    [Fact]
    public void A_greedy_answer_and_samples_share_a_prompt()
    {
        using var model = Model();
        var request = new GenerationRequest
        {
            Prompt = [1, 2], MaxNewTokens = 6, Seeds = [0, 7, 8], SamplingBySeed = [SamplingOptions.Greedy, Plain, Plain],
        };
        var mixed = new BatchGenerator(model).Complete([request])[0];
        ShouldBeSame(mixed[0], new BatchGenerator(model).Complete([request with { SamplingBySeed = null, Seeds = [0] }])[0][0]);
        ShouldBeSame(
            mixed[2], new BatchGenerator(model).Complete([request with { SamplingBySeed = null, Sampling = Plain, Seeds = [8] }])[0][0]);
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_raw_distribution()
    {
        using var model = new ScriptedTokenModel(3, 8, (_, logits) => ((float[])[0, MathF.Log(2), MathF.Log(5)]).CopyTo(logits));
        var request = new GenerationRequest
        {
            Prompt = [0], MaxNewTokens = 2, Seeds = [0], Sampling = new SamplingOptions { Temperature = 0.1, TopK = 1 },
        };
        var completion = new BatchGenerator(model).Complete([request])[0][0];
        completion.Tokens.ShouldBe([2, 2]);
        completion.LogProbabilities.ShouldAllBe(value => Math.Abs(value - Math.Log(5.0 / 8)) < 1e-6);
    }

    [Fact]
    public void A_request_that_cannot_be_served_is_named_before_anything_runs()
    {
        using var model = Model();
        var good = new GenerationRequest { Prompt = [1], MaxNewTokens = 2, Seeds = [0] };
        foreach (var bad in (GenerationRequest[])[
            good with { Prompt = [] }, good with { Prompt = new int[12] }, good with { Prompt = [Vocabulary] },
            good with { MaxNewTokens = 0 },
            good with { SamplingBySeed = [] }, good with { Sampling = new SamplingOptions { TopP = 2 } }])
        {
            Should.Throw<ArgumentException>(() => new BatchGenerator(model).Complete([good, bad])).Message.ShouldContain("Request 1");
        }

        model.Sessions.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Cancelling_stops_between_steps_and_disposes_the_sessions(int workers)
    {
        using var model = Model(maxLength: 100_000);
        using var source = new CancellationTokenSource();
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 6).Select(_ => new GenerationRequest { Prompt = [1], MaxNewTokens = 50_000, Seeds = [0] })];
        Should.Throw<OperationCanceledException>(() => new BatchGenerator(model, slots: 3, workers: workers)
            .Run(requests, (_, _, _) => { }, _ => source.Cancel(), source.Token));
        model.Sessions.ShouldAllBe(session => session.Disposed);
    }

    [Fact]
    public void A_fault_in_one_worker_ends_the_run_with_that_fault()
    {
        using var model = new ScriptedTokenModel(3, 1000, (sequence, logits) =>
        {
            logits.Clear();
            if (sequence[0] == 2) logits[0] = float.NaN;
        });
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 9).Select(i => new GenerationRequest { Prompt = [i == 4 ? 2 : 1], MaxNewTokens = 900, Seeds = [0] })];
        Should.Throw<InvalidDataException>(() => new BatchGenerator(model, slots: 4, workers: 2).Complete(requests));
        model.Sessions.ShouldAllBe(session => session.Disposed);
    }

    [Fact]
    public void Progress_counts_every_completion_and_token()
    {
        using var model = Model();
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 5).Select(i => new GenerationRequest { Prompt = [i], MaxNewTokens = 4, Seeds = [1, 2] })];
        GenerationProgress last = default;
        var totals = new BatchGenerator(model, slots: 3, workers: 2).Run(requests, (_, _, _) => { }, progress => last = progress);
        last.ShouldBe(totals);
        (totals.Completions, totals.Total, totals.CompletionTokens, totals.PromptTokens).ShouldBe((10, 10, 40, 5));
    }

    [Fact]
    public void A_shared_prefix_is_read_once_and_changes_nothing() =>
        Gen.Select(Requests, Gen.Int[1, 9], Gen.Int[0, 4]).Sample((requests, slots, shared) =>
    {
        using var model = Model();
        GenerationRequest[] prefixed = [.. requests.Select(request => request with
        {
            Prompt = [6, 7, 8, 9, .. request.Prompt], SharedPrefix = shared, Seeds = request.Seeds.Count == 0 ? [1] : request.Seeds,
        })];
        var generator = new BatchGenerator(model, slots: slots);
        var alone = new BatchGenerator(model).Complete([.. prefixed.Select(request => request with { SharedPrefix = 0 })]);
        var completions = new Completion[prefixed.Length][];
        for (int i = 0; i < prefixed.Length; i++) completions[i] = new Completion[prefixed[i].Seeds.Count];
        var totals = generator.Run(prefixed, (request, seed, completion) => completions[request][seed] = completion);
        for (int i = 0; i < prefixed.Length; i++)
        {
            for (int seed = 0; seed < completions[i].Length; seed++) ShouldBeSame(completions[i][seed], alone[i][seed]);
        }

        // Every prompt but the first finds the prefix in some slot: there is one as long as anything has been read.
        totals.PromptTokens.ShouldBe(prefixed.Sum(request => request.Prompt.Count - shared) + (prefixed.Length > 0 ? shared : 0));
    }, iter: 300);

    [Fact]
    public void A_prompt_is_scored_token_by_token_in_the_run_that_reads_it()
    {
        using var model = Model(maxLength: 1000);
        int[] prompt = [.. Enumerable.Range(0, 700).Select(i => i * 5 % Vocabulary)];
        var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = 0, Seeds = [0], ScorePrompt = true, TopLogProbabilities = 3 };
        var completion = new BatchGenerator(model).Complete([request])[0][0];
        completion.Tokens.ShouldBeEmpty();
        var sampler = new Sampler(Vocabulary);
        float[] logits = new float[Vocabulary];
        using var session = model.Open(1, 1000);
        for (int i = 0; i + 1 < prompt.Length; i++)
        {
            session.Prefill(0, [prompt[i]], logits);
            double normalizer = Math.Log(logits.Sum(value => Math.Exp(value)));
            completion.Prompt!.LogProbabilities[i].ShouldBe(logits[prompt[i + 1]] - normalizer, 1e-5);
            int[] best = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(token => logits[token]).ThenBy(token => token).Take(3)];
            completion.Prompt.Top!.Ids.Skip(i * 3).Take(3).ShouldBe(best);
            ((double)completion.Prompt.Top.LogProbabilities[i * 3]).ShouldBe(logits[best[0]] - normalizer, 1e-5);
        }
    }

    [Fact]
    public void Alternatives_carry_raw_and_processed_log_probabilities()
    {
        using var model = new ScriptedTokenModel(
            4, 8, (_, logits) => ((float[])[0, MathF.Log(2), MathF.Log(5), MathF.Log(4)]).CopyTo(logits));
        var request = new GenerationRequest
        {
            Prompt = [0], MaxNewTokens = 1, Seeds = [0], TopLogProbabilities = 9,
            Sampling = new SamplingOptions { Temperature = 1, TopK = 2 },
        };
        var completion = new BatchGenerator(model).Complete([request])[0][0];
        completion.Top!.Count.ShouldBe(4);
        completion.Top.Ids.ShouldBe([2, 3, 1, 0]);
        completion.Top.LogProbabilities.Select(value => Math.Round(Math.Exp(value), 6))
            .ShouldBe([5 / 12.0, 4 / 12.0, 2 / 12.0, 1 / 12.0], 1e-6);
        completion.Top.Processed.Select(value => Math.Exp(value)).ShouldBe([5 / 9.0, 4 / 9.0, 0, 0], 1e-6);
        ((double)completion.KeptMass[0]).ShouldBe(9 / 12.0, 1e-6);
        var greedy = new BatchGenerator(model).Complete([request with { Sampling = SamplingOptions.Greedy }])[0][0];
        greedy.Top!.Processed.ShouldBe([0, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity]);
        ((double)greedy.KeptMass[0]).ShouldBe(5 / 12.0, 1e-6);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public void A_model_on_a_card_is_run_by_the_callers_thread_alone(bool isOnCard, int sessions)
    {
        var threads = new System.Collections.Concurrent.ConcurrentBag<int>();
        using var model = new ScriptedTokenModel(4, 8, (_, logits) =>
        {
            threads.Add(Environment.CurrentManagedThreadId);
            logits.Clear();
        });
        using var served = new DeviceModel(model, isOnCard);
        new BatchGenerator(served, slots: 6, workers: 3).Complete(
            [.. Enumerable.Range(0, 6).Select(_ => new GenerationRequest { Prompt = [0], MaxNewTokens = 2, Seeds = [0] })]);
        model.Sessions.Count.ShouldBe(sessions);
        if (isOnCard) threads.Distinct().ShouldBe([Environment.CurrentManagedThreadId]);
    }

    private static void ShouldBeSame(Completion actual, Completion expected)
    {
        actual.Tokens.ShouldBe(expected.Tokens);
        actual.LogProbabilities.ShouldBe(expected.LogProbabilities);
        (actual.StopReason, actual.Seed).ShouldBe((expected.StopReason, expected.Seed));
    }

    private sealed class DeviceModel(ScriptedTokenModel model, bool isForOneThread) : IDeviceTokenModel
    {
        public int VocabularySize => model.VocabularySize;

        public int MaxLength => model.MaxLength;

        public bool IsForOneThread => isForOneThread;

        public IDecodeSession Open(int slots, int maxLength) => model.Open(slots, maxLength);

        public void Dispose()
        {
        }
    }
}
