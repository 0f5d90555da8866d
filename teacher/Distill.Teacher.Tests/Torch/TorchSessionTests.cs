using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Teacher.Tests.Fixtures;
using Distill.Teacher.Tests.Onnx;
using static TorchSharp.torch;

namespace Distill.Teacher.Tests.Torch;

/// <summary>
/// Cache, logits and sampling in libtorch's memory, on the CPU: the same code that runs on a GPU must give what the host's sessions give,
/// on every folder at hand whose graph appends in place.
/// </summary>
[Collection(nameof(CountedTensors))]
public sealed class TorchSessionTests
{
    // A cumulative probability so near the uniform number that rounding decides: seen in none of the runs so far.
    private const int MostTurned = 2;

    private static readonly SamplingOptions[] Samplings =
    [
        SamplingOptions.Greedy, new() { Temperature = 1 }, new() { Temperature = 0.7, TopK = 20, TopP = 0.9 },
        new()
        {
            Temperature = 1.3, MinP = 0.05, RepetitionPenalty = 1.2,
            LogitBias = new Dictionary<int, float> { [5] = float.NegativeInfinity },
        },
        new() { RepetitionPenalty = 1.3 },
    ];

    // The tests of a process share its cores, and several threads would mostly wait for each other in tensors as small as these.
    static TorchSessionTests() => set_num_threads(1);

    public static TheoryData<string> Names => FixtureFolder.Rows(
        ReferenceCase.All.Where(name => new ReferenceCase(name).SharesCache).Append("tiny-reasoner"));

    [Theory]
    [MemberData(nameof(Names))]
    public void Completions_are_those_of_the_host(string name)
    {
        using var models = new Pair(name);
        var requests = models.Requests();
        int turned = 0;
        foreach (int slots in (int[])[1, 5, 16])
        {
            var expected = new BatchGenerator(models.Host, slots: slots).Complete(requests);
            var actual = new BatchGenerator(models.Torch, slots: slots).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
            {
                for (int seed = 0; seed < actual[i].Length; seed++)
                {
                    bool greedy = requests[i].SamplingOf(seed).IsGreedy;
                    if (Same(expected[i][seed], actual[i][seed], $"{name}, request {i}, seed {seed}, {slots} slots", greedy)) continue;
                    turned++;
                }
            }
        }

        TestContext.Current.SendDiagnosticMessage("{0}: {1} completions turned by rounding", name, turned);
        turned.ShouldBeLessThanOrEqualTo(MostTurned);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Given_tokens_score_as_on_the_host(string name)
    {
        using var models = new Pair(name);
        if (!TokenScorer.CanScore(models.Host, 64))
        {
            TokenScorer.CanScore(models.Torch, 64).ShouldBeFalse();
            return;
        }

        using var host = new TokenScorer(models.Host);
        using var torch = new TokenScorer(models.Torch);
        foreach (int[] prompt in models.Prompts)
        {
            var expected = host.Score(prompt, 3);
            var actual = torch.Score(prompt, 3);
            actual.LogProbabilities.Count.ShouldBe(prompt.Length - 1);
            for (int i = 0; i < actual.LogProbabilities.Count; i++)
                actual.LogProbabilities[i].ShouldBe(expected.LogProbabilities[i], 2e-6);
            if (prompt.Length > 1) actual.Top!.Ids.ShouldBe(expected.Top!.Ids);
        }
    }

    [Fact]
    public void Prompts_are_scored_while_others_decode()
    {
        using var models = new Pair("tiny-reasoner");
        GenerationRequest[] requests =
        [
            .. models.Prompts.Select(prompt => new GenerationRequest
            {
                Prompt = prompt, MaxNewTokens = 6, Seeds = [1, 2, 3], Sampling = new() { Temperature = 1 }, ScorePrompt = true,
                TopLogProbabilities = 2,
            }),
        ];
        var expected = new BatchGenerator(models.Host, slots: 2).Complete(requests);
        var actual = new BatchGenerator(models.Torch, slots: 2).Complete(requests);
        for (int i = 0; i < requests.Length; i++)
        {
            actual[i][0].Tokens.ShouldBe(expected[i][0].Tokens);
            actual[i][2].Prompt!.Top!.Ids.ShouldBe(expected[i][2].Prompt!.Top!.Ids);
            actual[i][2].Prompt!.LogProbabilities.Zip(expected[i][2].Prompt!.LogProbabilities, (a, e) => Math.Abs(a - e)).Max()
                .ShouldBeLessThan(2e-6);
        }
    }

    [Fact]
    public void Every_growing_cache_is_refused_with_what_to_do()
    {
        FixtureFolder.Require("genai");
        var growing = ReferenceCase.All.Where(name => !new ReferenceCase(name).SharesCache).ToList();
        growing.ShouldNotBeEmpty();
        foreach (string name in growing)
        {
            Should.Throw<InvalidDataException>(() => new ReferenceCase(name).LoadInTorch().Dispose()).Message
                .ShouldContain("GroupQueryAttention");
        }
    }

    [Fact]
    public void Tensors_do_not_pile_up()
    {
        using var models = new Pair("tiny-reasoner");
        var generator = new BatchGenerator(models.Torch, slots: 4);
        var requests = models.Requests();
        generator.Complete(requests);
        long before = Tensor.TotalCount;
        for (int round = 0; round < 5; round++) generator.Complete(requests);
        using (var scorer = new TokenScorer(models.Torch)) scorer.Score(models.Prompts[0], 2);
        Tensor.TotalCount.ShouldBeLessThanOrEqualTo(before + 8); // other tests of this process may hold a few
    }

    // On the processor nothing is recorded, and the numbers that a card needs for it must do no harm.
    [Fact]
    public void Recorded_runs_are_asked_for_without_changing_what_is_said()
    {
        var folder = ModelFolder.Open(TinyReasoner.Folder);
        var options = new OnnxModelOptions { IntraOpThreads = 1, Cuda = new CudaOptions { CapturesGraphs = true } };
        using var models = new Pair("tiny-reasoner");
        using var recording = TorchTokenModel.Load(folder, options);
        var requests = models.Requests();
        var expected = new BatchGenerator(models.Torch, slots: 4).Complete(requests);
        var actual = new BatchGenerator(recording, slots: 4).Complete(requests);
        for (int i = 0; i < requests.Length; i++)
            actual[i].Select(completion => completion.Tokens).ShouldBe(expected[i].Select(completion => completion.Tokens));
        var session = recording.Open(1, 8);
        session.Cancel();
        Should.Throw<OperationCanceledException>(() => session.Step([1], new float[recording.VocabularySize]));
        session.Dispose();
    }

    [Fact]
    public void A_session_over_the_budget_is_refused()
    {
        using var model = TorchTokenModel.Load(
            ModelFolder.Open(TinyReasoner.Folder), new OnnxModelOptions { IntraOpThreads = 1, MaxCacheBytes = 1 << 20 });
        Should.Throw<ArgumentException>(() => model.Open(64, model.MaxLength)).Message.ShouldContain("are allowed");
        Should.Throw<InvalidDataException>(() => TorchTokenModel.Load(
            ModelFolder.Open(TinyReasoner.Folder), new OnnxModelOptions { IntraOpThreads = 1, MaxCacheBytes = 1 }).Dispose());
    }

    [Fact]
    public void A_card_that_libtorch_does_not_find_is_refused()
    {
        Assert.SkipWhen(Libtorch.TorchDevices.Cards > 7, "There is such a card.");
        Should.Throw<DeviceUnavailableException>(() => TorchTokenModel.Load(
            ModelFolder.Open(TinyReasoner.Folder), new OnnxModelOptions { Device = ComputeDevice.Cuda(7) }).Dispose())
            .Message.ShouldContain("cuda:7");
    }

    /// <returns>False when a sampled token is another one, and that is where they part.</returns>
    private static bool Same(Completion expected, Completion actual, string where, bool greedy)
    {
        int common = expected.Tokens.Zip(actual.Tokens).TakeWhile(pair => pair.First == pair.Second).Count();
        bool same = common == expected.Tokens.Count && common == actual.Tokens.Count;
        if (greedy) same.ShouldBeTrue(where);
        for (int i = 0; i < common; i++)
        {
            Near(actual.LogProbabilities[i], expected.LogProbabilities[i]);
            Near(actual.ProcessedLogProbabilities[i], expected.ProcessedLogProbabilities[i]);
            Near(actual.KeptMass[i], expected.KeptMass[i]);
        }

        int top = common * expected.Top!.Count;
        actual.Top!.Ids.Take(top).ShouldBe(expected.Top.Ids.Take(top), where);
        for (int i = 0; i < top; i++)
        {
            Near(actual.Top.LogProbabilities[i], expected.Top.LogProbabilities[i]);
            Near(actual.Top.Processed[i], expected.Top.Processed[i]);
        }

        return same;

        void Near(float value, float reference)
        {
            if (float.IsFinite(reference)) value.ShouldBe(reference, 4e-6f * Math.Max(1, Math.Abs(reference)), where);
            else value.ShouldBe(reference, where);
        }
    }

    /// <summary>One folder opened both ways, and prompts for it.</summary>
    private sealed class Pair : IDisposable
    {
        public Pair(string name)
        {
            if (name == "tiny-reasoner")
            {
                Host = TinyReasoner.Open();
                Torch = TorchTokenModel.Load(ModelFolder.Open(TinyReasoner.Folder), new OnnxModelOptions { IntraOpThreads = 1 });
                Prompts = [.. ((string[])["What is 3 + 4?", TinyReasoner.Question, "What is 17 - 5 * 2?"])
                    .Select(text => TinyReasoner.Encoder.EncodePrompt([Tokenization.ChatMessage.User(text)]))];
                return;
            }

            var reference = new ReferenceCase(name);
            (Host, Torch, Prompts) = (reference.Load(), reference.LoadInTorch(), reference.Prompts);
        }

        public OnnxTokenModel Host { get; }

        public TorchTokenModel Torch { get; }

        public int[][] Prompts { get; }

        public GenerationRequest[] Requests() =>
        [
            .. Prompts.Select(prompt => new GenerationRequest
            {
                Prompt = prompt, MaxNewTokens = 12, TopLogProbabilities = 3,
                Seeds = [.. Samplings.Select((_, i) => (ulong)i)], SamplingBySeed = Samplings,
            }),
        ];

        public void Dispose()
        {
            Torch.Dispose();
            Host.Dispose();
        }
    }
}
