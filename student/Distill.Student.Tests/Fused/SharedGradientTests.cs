using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fused;

/// <summary>One gradient for all threads, in an order that their speed does not change.</summary>
public sealed class SharedGradientTests
{
    [Theory]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public void The_same_bits_come_out_whichever_thread_is_faster(int replicas, bool tied)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(tied: tied));
        // several rounds, not the same number for each
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 30, 40, 50, 20, 10, 60, 33, 21, 47);
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, replicas, capacity: 64);
        model.Differentiate(sequences, new CrossEntropy(9));
        float[] first = model.Gradient.Host().ToArray();
        for (int pass = 0; pass < 10; pass++)
        {
            model.Differentiate(sequences, new SlowLoss(new CrossEntropy(9), pass));
            model.Gradient.Host().ToArray().ShouldBe(first, $"pass {pass}");
        }
    }

    [Fact]
    public void A_thread_that_fails_does_not_leave_the_others_waiting()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 30, 40, 50, 20);
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, capacity: 64);
        Should.Throw<AggregateException>(() => model.Differentiate(sequences, new FailingLoss())).InnerExceptions.OfType<TimeoutException>()
            .ShouldHaveSingleItem();
        using var fresh = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, capacity: 64);
        fresh.Differentiate(sequences, new CrossEntropy(4));
        model.Differentiate(sequences, new CrossEntropy(4)); // and the next pass is as good as any
        model.Gradient.Host().ToArray().ShouldBe(fresh.Gradient.Host().ToArray());
    }

    [Fact]
    public void Every_micro_batch_has_a_turn_of_its_own()
    {
        int[] counts = [3, 1, 4];
        var turns = Enumerable.Range(0, counts.Length)
            .SelectMany(replica =>
                Enumerable.Range(0, counts[replica]).Select(round => MicroBatchTurn.Of(counts, round, replica))).ToList();
        turns.Select(turn => turn.Before + turn.Index).Order().ShouldBe(Enumerable.Range(0, 8));
        MicroBatchTurn.Of(counts, 0, 2).ShouldBe(new MicroBatchTurn(0, 2, 3));
        MicroBatchTurn.Of(counts, 1, 2).ShouldBe(new MicroBatchTurn(3, 1, 2));
        MicroBatchTurn.Of(counts, 3, 2).ShouldBe(new MicroBatchTurn(7, 0, 1));
    }

    /// <summary>Holds some micro-batches up, others each time.</summary>
    private sealed class SlowLoss(ITokenLoss loss, int pass) : ITokenLoss
    {
        public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
        {
            for (int i = 0; i < (batch.Tokens.Length + pass) % 3 * 20; i++) Thread.Yield();
            return loss.Evaluate(batch, logProbabilities, derivatives);
        }
    }

    private sealed class FailingLoss : ITokenLoss
    {
        private int calls;

        public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives) =>
            Interlocked.Increment(ref calls) == 1 ? throw new TimeoutException() : 0;
    }
}
