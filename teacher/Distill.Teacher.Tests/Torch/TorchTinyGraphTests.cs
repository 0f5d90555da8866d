using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Torch;

/// <summary>What a session in libtorch's memory does around a model, on graphs of a few nodes; fp16 logits among it.</summary>
public sealed class TorchTinyGraphTests
{
    private const int Length = 32;

    public static TheoryData<int> Types => [TinyGraph.Float, TinyGraph.Float16];

    [Theory]
    [MemberData(nameof(Types))]
    public void Logits_are_given_to_who_asks_and_tokens_to_who_does_not(int type)
    {
        using var model = Model(new TinyGraph { Shared = true, Type = type });
        using var session = (ISamplingSession)model.Open(2, Length);
        float[] all = new float[3 * TinyGraph.Vocabulary], rows = new float[2 * TinyGraph.Vocabulary],
            one = new float[TinyGraph.Vocabulary];
        session.Prefill(0, [1, 2, 3], all);
        session.Prefill(1, [7, 5], one);
        session.Step([4, 6], rows);
        (all[^1], all[TinyGraph.Vocabulary - 1], one[^1], rows[TinyGraph.Vocabulary - 1], rows[^1]).ShouldBe((3f, 1f, 5f, 4f, 6f));
        (session.Length(0), session.Length(1)).ShouldBe((4, 3));
        var answers = new TokenAnswers();
        TokenQuery greedy = new(SamplingOptions.Greedy, 0, default, 1), forbidden = greedy with
        {
            Sampling = new() { LogitBias = new Dictionary<int, float> { [TinyGraph.Vocabulary - 1] = float.NegativeInfinity } },
        };
        session.ChooseNext([greedy, forbidden], answers);
        (answers.Choice(0).Token, answers.Choice(1).Token).ShouldBe((TinyGraph.Vocabulary - 1, TinyGraph.Vocabulary - 2));

        // The prompt's logits outlive what its slot holds, for further completions of it.
        session.Clear(1);
        session.ChooseFirst(1, [greedy, greedy, forbidden], answers);
        (answers.Count, answers.Choice(2).Token).ShouldBe((3, TinyGraph.Vocabulary - 2));
        double normalizer = LogSoftmax.Normalizer(one);
        answers.Choice(0).LogProbability.ShouldBe((float)(5 - normalizer), 1e-6f);
        Should.Throw<ArgumentException>(() => session.ChooseNext([greedy, greedy, greedy], answers)).Message.ShouldContain("2 rows");
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_run_that_would_never_end_is_cancelled_from_another_thread(int type)
    {
        using var model = Model(new TinyGraph { Shared = true, Type = type, Endless = true });
        using var session = (ISamplingSession)model.Open(1, Length);
        using var started = new ManualResetEventSlim();
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() =>
        {
            started.Set();
            session.Prefill(0, [1, 2, 3]);
        }));
        thread.Start();
        started.Wait(TestContext.Current.CancellationToken);
        Thread.Sleep(20); // most likely inside the loop then; the outcome must be the same before it
        session.Cancel();
        thread.Join();
        thrown.ShouldBeOfType<OperationCanceledException>();
        Should.Throw<OperationCanceledException>(() => session.Step([1]));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Cancelling_beside_or_after_disposal_does_no_harm(int type)
    {
        using var model = Model(new TinyGraph { Shared = true, Type = type });
        for (int i = 0; i < 50; i++)
        {
            var session = (ISamplingSession)model.Open(1, Length);
            session.Prefill(0, [1]);
            var thread = new Thread(session.Cancel);
            thread.Start();
            session.Dispose();
            thread.Join();
            session.Cancel();
            session.Dispose();
            Should.Throw<ObjectDisposedException>(() => session.Step([1]));
        }
    }

    [Theory]
    [InlineData(TinyGraph.Float, float.NaN), InlineData(TinyGraph.Float16, float.PositiveInfinity), InlineData(TinyGraph.Float16, 65504f)]
    public void Logits_that_are_no_numbers_stop_the_run(int type, float weight)
    {
        using var model = Model(new TinyGraph { Shared = true, Type = type, Weight = weight });
        Should.Throw<InvalidDataException>(
            () => new BatchGenerator(model).Complete([new GenerationRequest { Prompt = [9], MaxNewTokens = 2, Seeds = [0] }]))
            .Message.ShouldContain("not finite");
        using var scorer = new TokenScorer(model);
        Should.Throw<InvalidDataException>(() => scorer.Score([9, 9])).Message.ShouldContain("not finite");
    }

    private static TorchTokenModel Model(TinyGraph graph) =>
        TorchTokenModel.FromBytes(graph.ToBytes(), Length, new OnnxModelOptions { IntraOpThreads = 1 });
}
