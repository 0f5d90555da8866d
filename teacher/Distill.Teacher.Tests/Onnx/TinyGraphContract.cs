using Distill.Generation;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>What every backend does around a model, on graphs of a few nodes: cancellation, numbers that are none.</summary>
public abstract class TinyGraphContract
{
    private protected const int Length = 32;

    public static TheoryData<bool, int> Kinds => new()
    {
        { true, TinyGraph.Float }, { true, TinyGraph.Float16 }, { false, TinyGraph.Float }, { false, TinyGraph.Float16 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Logits_arrive_as_single_precision_for_prompts_and_steps(bool shared, int type)
    {
        using var model = Model(new TinyGraph { Shared = shared, Type = type });
        using var session = model.Open(2, Length);
        float[] all = new float[3 * TinyGraph.Vocabulary], rows = new float[2 * TinyGraph.Vocabulary],
            one = new float[TinyGraph.Vocabulary];
        session.Prefill(0, [1, 2, 3], all);
        session.Prefill(1, [7, 5], one);
        session.Step([4, 6], rows);
        (all[^1], all[TinyGraph.Vocabulary - 1], one[^1], rows[TinyGraph.Vocabulary - 1], rows[^1]).ShouldBe((3f, 1f, 5f, 4f, 6f));
        (session.Length(0), session.Length(1)).ShouldBe((4, 3));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_run_that_would_never_end_is_cancelled_from_another_thread(bool shared, int type)
    {
        using var model = Model(new TinyGraph { Shared = shared, Type = type, Endless = true });
        foreach (bool prompt in (bool[])[true, false])
        {
            using var session = model.Open(1, Length);
            float[] logits = new float[TinyGraph.Vocabulary];
            using var started = new ManualResetEventSlim();
            Exception? thrown = null;
            var thread = new Thread(() => thrown = Record.Exception(() =>
            {
                started.Set();
                if (prompt) session.Prefill(0, [1, 2, 3], logits);
                else session.Step([1], logits);
            }));
            thread.Start();
            started.Wait(TestContext.Current.CancellationToken);
            Thread.Sleep(20); // most likely inside the loop then; the outcome must be the same before it
            session.Cancel();
            thread.Join();
            thrown.ShouldBeOfType<OperationCanceledException>();

            for (int i = 0; i < 2 * Length; i++)
            {
                Should.Throw<OperationCanceledException>(() => session.Step([1], logits));
                Should.Throw<OperationCanceledException>(() => session.Prefill(0, [1], logits));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Cancelling_beside_or_after_disposal_does_no_harm(bool shared, int type)
    {
        using var model = Model(new TinyGraph { Shared = shared, Type = type });
        for (int i = 0; i < 200; i++)
        {
            var session = model.Open(1, Length);
            session.Prefill(0, [1], new float[TinyGraph.Vocabulary]);
            var thread = new Thread(session.Cancel);
            thread.Start();
            session.Dispose();
            thread.Join();
            session.Cancel();
            session.Dispose();
            Should.Throw<ObjectDisposedException>(() => session.Step([1], new float[TinyGraph.Vocabulary]));
        }

        // Another session of the same model is not touched by all that.
        using var other = model.Open(1, Length);
        other.Prefill(0, [1], new float[TinyGraph.Vocabulary]);
    }

    [Theory]
    [
        InlineData(true, TinyGraph.Float, float.NaN), InlineData(true, TinyGraph.Float16, float.NaN),
        InlineData(true, TinyGraph.Float16, float.PositiveInfinity)]
    [
        InlineData(false, TinyGraph.Float, float.NaN), InlineData(false, TinyGraph.Float16, float.NaN),
        InlineData(false, TinyGraph.Float16, float.PositiveInfinity)]
    [InlineData(true, TinyGraph.Float16, 65504f), InlineData(false, TinyGraph.Float16, 65504f)] // times a token: more than float16 holds
    public void Logits_that_are_no_numbers_stop_the_run(bool shared, int type, float weight)
    {
        using var model = Model(new TinyGraph { Shared = shared, Type = type, Weight = weight });
        Should.Throw<InvalidDataException>(
            () => new BatchGenerator(model).Complete([new GenerationRequest { Prompt = [9], MaxNewTokens = 2, Seeds = [0] }]))
            .Message.ShouldContain("not finite");
    }

    private protected abstract ITokenModel Model(TinyGraph graph);
}
