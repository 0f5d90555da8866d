using CsCheck;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Generation;

public sealed class GenerationEngineTests
{
    private const int Vocabulary = 17;

    private static readonly SamplingOptions Plain = new() { Temperature = 1 };

    private static readonly Gen<GenerationRequest> Requests = Gen.Select(
        Gen.Int[0, Vocabulary - 1].Array[1, 30], Gen.Int[1, 9], Gen.ULong.Array[1, 4], Gen.Int[0, 3],
        (prompt, tokens, seeds, shared) => new GenerationRequest
        {
            Prompt = [2, 2, 2, .. prompt], MaxNewTokens = tokens, Seeds = seeds, Sampling = Plain, StopTokens = [3, 5],
            SharedPrefix = shared,
        });

    // Logits depend on every token and its place, so that a mixed-up cache changes what is generated.
    private static ScriptedTokenModel Model(int maxLength = 60) => new(Vocabulary, maxLength, (sequence, logits) =>
    {
        ulong hash = 17;
        foreach (int token in sequence) hash = SeedSequence.Derive(hash, (ulong)token, 0);
        for (int token = 0; token < logits.Length; token++) logits[token] = SeedSequence.Derive(hash, (ulong)token, 1) % 1000 / 250f;
    });

    [Fact]
    public void Many_callers_get_what_the_generator_gives() =>
        Gen.Select(Requests.Array[1, 12], Gen.Int[1, 5], Gen.Int[1, 40]).Sample((requests, slots, promptTokens) =>
        {
            using var model = Model();
            var expected = new BatchGenerator(model, slots: 1).Complete(requests);
            using var engine = new GenerationEngine(
                model, new EngineOptions { Slots = slots, Workers = Math.Min(2, slots), PromptTokensPerStep = promptTokens });
            var actual = Task.WhenAll(requests.Select(request => Task.Run(() => engine.CompleteAsync(request)))).GetAwaiter().GetResult();
            for (int i = 0; i < requests.Length; i++)
            {
                actual[i].Select(completion => completion.Tokens).ShouldBe(expected[i].Select(completion => completion.Tokens));
                actual[i].Select(completion => completion.StopReason).ShouldBe(expected[i].Select(completion => completion.StopReason));
            }

            engine.Load.ShouldBe((0, 0));
        }, iter: 60, threads: 1);

    [Fact]
    public async Task A_stream_gives_every_token_and_then_the_completion()
    {
        using var model = Model();
        using var engine = new GenerationEngine(model);
        var request = new GenerationRequest { Prompt = [1, 2], MaxNewTokens = 6, Seeds = [4, 9], Sampling = Plain };
        var tokens = new List<int>[] { [], [] };
        var completions = new Completion?[2];
        await foreach (var happened in engine.Stream(request))
        {
            completions[happened.SeedIndex].ShouldBeNull("nothing follows a completion");
            if (happened is TokenGenerated token) tokens[token.SeedIndex].Add(token.Choice.Token);
            else completions[happened.SeedIndex] = ((CompletionEnded)happened).Completion;
        }

        for (int seed = 0; seed < 2; seed++) completions[seed]!.Tokens.ShouldBe(tokens[seed]);
    }

    [Fact]
    public async Task A_caller_who_leaves_frees_the_slot()
    {
        using var model = Model(maxLength: 1_000_000);
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 1, MaxLength = 100_000 });
        using var leaving = new CancellationTokenSource();
        var endless = new GenerationRequest { Prompt = [1], MaxNewTokens = 90_000, Seeds = [0], Sampling = Plain };
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in engine.Stream(endless, leaving.Token)) await leaving.CancelAsync();
        });
        await foreach (var _ in engine.Stream(endless)) break;
        (await engine.CompleteAsync(endless with { MaxNewTokens = 3 }))[0].Tokens.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Too_many_waiting_requests_are_refused_and_those_taken_are_served()
    {
        using var gate = new ManualResetEventSlim();
        using var model = new ScriptedTokenModel(3, 50, (sequence, logits) =>
        {
            gate.Wait();
            logits.Clear();
        });
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 1, MaxWaiting = 2 });
        var request = new GenerationRequest { Prompt = [1], MaxNewTokens = 2, Seeds = [0] };
        var running = engine.CompleteAsync(request);
        SpinWait.SpinUntil(() => engine.Load == (0, 1));
        Task<Completion[]>[] waiting = [engine.CompleteAsync(request), engine.CompleteAsync(request)];
        Should.Throw<EngineBusyException>(() => engine.Stream(request)).Waiting.ShouldBe(2);
        gate.Set();
        (await Task.WhenAll([running, .. waiting])).ShouldAllBe(completions => completions[0].Tokens.Count == 2);
    }

    [Fact]
    public async Task Disposing_ends_every_request()
    {
        using var model = Model(maxLength: 1_000_000);
        var engine = new GenerationEngine(model, new EngineOptions { Slots = 1, MaxLength = 100_000 });
        var endless = new GenerationRequest { Prompt = [1], MaxNewTokens = 90_000, Seeds = [0], Sampling = Plain };
        Task[] requests = [engine.CompleteAsync(endless), engine.CompleteAsync(endless)];
        SpinWait.SpinUntil(() => engine.Load == (1, 1));
        engine.Dispose();
        foreach (var request in requests) await Should.ThrowAsync<ObjectDisposedException>(request);
        Should.Throw<ObjectDisposedException>(() => engine.Stream(endless));
        model.Sessions.ShouldAllBe(session => session.Disposed);
    }

    [Fact]
    public async Task Logits_that_are_not_finite_end_one_request_only()
    {
        using var model = new ScriptedTokenModel(3, 50, (sequence, logits) =>
        {
            logits.Clear();
            if (sequence[0] == 2 && sequence.Length > 3) logits[0] = float.NaN;
        });
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 4 });
        var good = new GenerationRequest { Prompt = [1], MaxNewTokens = 20, Seeds = [0, 1] };
        Task<Completion[]> bad = engine.CompleteAsync(good with { Prompt = [2] }), before = engine.CompleteAsync(good);
        await Should.ThrowAsync<InvalidDataException>(bad);
        (await before).Length.ShouldBe(2);
        (await engine.CompleteAsync(good)).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_prompt_that_cannot_be_scored_ends_its_request_only()
    {
        using var model = new ScriptedTokenModel(3, 50, (sequence, logits) => logits.Fill(sequence[0] == 2 ? float.NaN : 0));
        using var engine = new GenerationEngine(model);
        var good = new GenerationRequest { Prompt = [1, 1], MaxNewTokens = 0, ScorePrompt = true, Seeds = [0] };
        Task<Completion[]> bad = engine.CompleteAsync(good with { Prompt = [2, 1] });
        await Should.ThrowAsync<InvalidDataException>(bad);
        (await engine.CompleteAsync(good))[0].Prompt!.LogProbabilities.ShouldBe([-Math.Log(3)], 1e-6);
    }

    [Fact]
    public async Task A_prompt_as_long_as_the_model_reads_can_be_scored_and_not_continued()
    {
        using var model = Model(maxLength: 6);
        using var engine = new GenerationEngine(model);
        var request = new GenerationRequest { Prompt = [1, 2, 3, 4, 5, 6], MaxNewTokens = 0, ScorePrompt = true, Seeds = [0] };
        (await engine.CompleteAsync(request))[0].Prompt!.LogProbabilities.Count.ShouldBe(5);
        Should.Throw<ArgumentException>(() => engine.Stream(request with { MaxNewTokens = 1 }));
    }

    [Fact]
    public async Task A_backend_that_fails_ends_every_request_with_its_fault()
    {
        using var model = new ScriptedTokenModel(3, 50, (_, _) => throw new InvalidOperationException("broken"));
        using var engine = new GenerationEngine(model);
        var request = new GenerationRequest { Prompt = [1], MaxNewTokens = 20, Seeds = [0] };
        (await Should.ThrowAsync<InvalidOperationException>(engine.CompleteAsync(request))).Message.ShouldBe("broken");
        Should.Throw<InvalidOperationException>(() => engine.Stream(request));
    }
}
