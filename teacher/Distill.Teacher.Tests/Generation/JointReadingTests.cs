using CsCheck;
using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Generation;

/// <summary>
/// Short prompts are read several to a run, and nobody notices. That completions stay what they are is also shown by every test of the
/// generator and the engine, whose sessions read so as well.
/// </summary>
public sealed class JointReadingTests
{
    private const int Vocabulary = 17;

    private static ScriptedTokenModel Model(int places) => new(Vocabulary, 400, (sequence, logits) =>
    {
        ulong hash = 17;
        foreach (int token in sequence) hash = SeedSequence.Derive(hash, (ulong)token, 0);
        for (int token = 0; token < logits.Length; token++) logits[token] = SeedSequence.Derive(hash, (ulong)token, 1) % 1000 / 250f;
    })
    {
        JointPlaces = places,
    };

    [Fact]
    public void Prompts_of_like_length_are_read_together_and_the_others_by_themselves()
    {
        using var model = Model(256);
        int[] lengths = [40, 44, 41, 34, 100, 99, 25, 3]; // 25: this session gives others bits to it in company
        var totals = new BatchGenerator(model, slots: 9).Run([.. lengths.Select(length => Request(length))], (_, _, _) => { });
        totals.Prefills.ShouldBe(lengths.Length);
        totals.PromptTokens.ShouldBe(lengths.Sum());
        model.Sessions[0].JointRuns.Select(run => string.Join(' ', run)).ShouldBe(["40 41 44 34", "100 99"]);
        model.Sessions[0].Prefills.ShouldBe(2);
    }

    [Fact]
    public void Scored_shared_and_many_seeded_prompts_are_read_by_themselves()
    {
        using var model = Model(256);
        var plain = Request(20);
        GenerationRequest[] requests =
        [
            plain with { Seeds = [1, 2] }, plain with { SharedPrefix = 4 }, plain with { ScorePrompt = true }, plain,
            plain with { Seeds = [1, 2, 3] }, plain,
        ];
        new BatchGenerator(model, slots: 9).Complete(requests).Select(completions => completions.Length).ShouldBe([2, 1, 1, 1, 3, 1]);
        model.Sessions[0].JointRuns.ShouldBeEmpty(); // a request for several completions ends the looking ahead: it needs slots of its own
    }

    [Fact]
    public void A_session_takes_no_more_requests_than_it_has_slots_for()
    {
        using var model = Model(256);
        int ended = 0;
        GenerationRequest[] requests = [.. Enumerable.Range(0, 30).Select(i => Request(14) with { MaxNewTokens = 1 + (i % 5) })];
        var totals = new BatchGenerator(model, slots: 4).Run(requests, (_, _, _) => ended++);
        (ended, totals.Completions).ShouldBe((30, 30));
        model.Sessions[0].JointRuns.Count.ShouldBeGreaterThan(3);
        model.Sessions[0].JointRuns.ShouldAllBe(run => run.Length <= 4);
    }

    [Fact]
    public async Task While_rows_run_no_more_tokens_are_read_than_between_two_steps()
    {
        using var model = Model(256);
        using var engine = new GenerationEngine(model, new EngineOptions { Slots = 8, PromptTokensPerStep = 30 });
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => engine.CompleteAsync(Request(8 + (i % 3)) with { MaxNewTokens = 12 })));
        engine.Progress.Prefills.ShouldBe(24);
        model.Sessions[0].JointRuns.ShouldAllBe(run => run.Sum() <= 30);
    }

    [Fact]
    public void A_caller_who_leaves_while_waiting_is_not_read()
    {
        using var model = Model(256);
        using var session = model.Open(8, 60);
        var callers = new Callers([.. ((int[])[8, 9, 7, 10, 6]).Select(length => Request(length))]) { Leaving = 3 };
        new GenerationBatch(session, Vocabulary, 60, callers, promptTokensPerStep: 17).Run(CancellationToken.None);
        callers.TakenAtFirstToken.ShouldBe(5, "all wait with this session when the first of them has been read");
        model.Sessions[0].JointRuns.Select(run => string.Join(' ', run)).ShouldBe(["8 9", "7 6"]);
        model.Sessions[0].Prefills.ShouldBe(0);
        callers.Ended.ShouldBe([0, 1, 2, 4], ignoreOrder: true);
    }

    [Theory]
    [InlineData(100, 1000, 2)] // 256 places
    [InlineData(40, 90, 2)]    // tokens between two steps
    [InlineData(8, 1000, 8)]   // slots
    [InlineData(25, 1000, 1)]  // read by itself
    public void No_more_requests_are_taken_than_the_next_run_may_read(int length, int budget, int taken)
    {
        using var model = Model(256);
        using var session = model.Open(8, 200);
        var callers = new Callers([.. Enumerable.Range(0, 20).Select(_ => Request(length))]);
        new GenerationBatch(session, Vocabulary, 200, callers, budget).Run(CancellationToken.None);
        callers.TakenAtFirstToken.ShouldBe(taken);
        callers.Ended.Count.ShouldBe(20);
    }

    [Theory]
    [InlineData(1, 8), InlineData(2, 4), InlineData(4, 2), InlineData(8, 1)]
    public void A_worker_leaves_the_others_their_share_of_few_requests(int workers, int together)
    {
        using var model = Model(256);
        using var session = model.Open(8, 60);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 8).Select(_ => Request(8))];
        var queue = new RequestQueue(requests, (_, _, _) => { }, null, workers);
        new GenerationBatch(session, Vocabulary, 60, queue).Run(CancellationToken.None); // this one comes first
        int first = model.Sessions[0].JointRuns.Count == 0 ? 1 : model.Sessions[0].JointRuns[0].Length;
        first.ShouldBe(together);
    }

    [Fact]
    public void Completions_do_not_depend_on_what_was_read_together() =>
        Gen.Select(Gen.Select(Gen.Int[1, 60], Gen.Int[1, 9], Gen.ULong, Gen.Bool).Array[1, 12], Gen.Int[1, 9], Gen.Int[0, 200]).Sample(
            (requests, slots, places) =>
            {
                using var together = Model(places);
                using var alone = Model(0);
                GenerationRequest[] asked =
                [
                    .. requests.Select(request => Request(request.Item1) with
                    {
                        MaxNewTokens = request.Item2, Seeds = request.Item4 ? [request.Item3] : [request.Item3, 1],
                    }),
                ];
                var expected = new BatchGenerator(alone, slots: 1).Complete(asked);
                var actual = new BatchGenerator(together, slots: slots, workers: Math.Min(2, slots)).Complete(asked);
                for (int i = 0; i < asked.Length; i++)
                {
                    actual[i].Select(completion => completion.Tokens).ShouldBe(expected[i].Select(completion => completion.Tokens));
                    actual[i].Select(completion => completion.LogProbabilities)
                        .ShouldBe(expected[i].Select(completion => completion.LogProbabilities));
                }
            }, iter: 200);

    private static GenerationRequest Request(int length) => new()
    {
        Prompt = [.. Enumerable.Range(0, length).Select(i => ((i * 7) + length) % Vocabulary)], MaxNewTokens = 3, Seeds = [0],
        Sampling = new SamplingOptions { Temperature = 1 },
    };

    /// <summary>Requests that wait from the start, all of them for whoever asks.</summary>
    private sealed class Callers(GenerationRequest[] requests) : IRequestSource
    {
        private int taken;

        /// <summary>The caller who goes away at the first token; none when negative.</summary>
        public int Leaving { get; init; } = -1;

        public int TakenAtFirstToken { get; private set; }

        public List<int> Ended { get; } = [];

        public bool Closed => false;

        public int Share => requests.Length - taken;

        public RequestTicket? Take() => taken == requests.Length ? null : new Caller(this, taken, requests[taken++]);

        public void Report(in GenerationProgress done)
        {
        }

        private sealed class Caller(Callers all, int index, GenerationRequest request) : RequestTicket(request)
        {
            public override bool Abandoned => index == all.Leaving && all.TakenAtFirstToken > 0;

            public override void Token(int seedIndex, in TokenChoice choice, string text)
            {
                if (all.TakenAtFirstToken == 0) all.TakenAtFirstToken = all.taken;
            }

            public override void Complete(int seedIndex, Completion completion) => all.Ended.Add(index);
        }
    }
}
