using TorchSharp;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Autograd;

public sealed class AutogradGradientModelTests
{
    [Theory]
    [InlineData(MatmulPrecision.Fp32, true)]
    [InlineData(MatmulPrecision.Fp32, false)]
    [InlineData(MatmulPrecision.Mixed, true)]
    public void Checkpointing_gives_the_same_loss_and_gradient(MatmulPrecision precision, bool tied)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(tied: tied) with { Layers = 4 });
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 40, 17, 60);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var whole = new AutogradGradientModel(parameters, precision);
        using var recomputed = new AutogradGradientModel(parameters, precision, options: new AutogradOptions(Checkpointing: true));
        recomputed.Differentiate(sequences, loss).ShouldBe(whole.Differentiate(sequences, loss));
        Vectors.RelativeDifference(recomputed.Gradient.Host(), whole.Gradient.Host()).ShouldBeLessThan(1e-6);
        foreach (var (name, offset, spec) in parameters.Places) // none was forgotten
            recomputed.Gradient.Host().Slice((int)offset, (int)spec.Count).IndexOfAnyExcept(0f).ShouldBeGreaterThanOrEqualTo(0, name);
        recomputed.Score(sequences)[2].ShouldBe(whole.Score(sequences)[2]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7 * 61)]
    public void The_head_in_chunks_gives_the_same_loss_and_gradient(int logitsAtOnce)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 40, 17, 60);
        long learned = sequences.Sum(sequence => sequence.SupervisedCount);
        using var whole = new AutogradGradientModel(parameters);
        using var chunked = new AutogradGradientModel(
            parameters, options: new AutogradOptions { LogitsAtOnce = logitsAtOnce });
        Compare(model => model.Differentiate(sequences, new CrossEntropy(learned)));
        Compare(model => model.Differentiate(sequences, new SquaredLogits()));

        void Compare(Func<AutogradGradientModel, PassResult> differentiate)
        {
            PassResult expected = differentiate(whole), actual = differentiate(chunked);
            actual.Loss.ShouldBe(expected.Loss, 1e-6 * Math.Abs(expected.Loss));
            actual.MeanEntropy.ShouldBe(expected.MeanEntropy, 1e-5);
            actual.MeanLogProbability.ShouldBe(expected.MeanLogProbability, 1e-5);
            Vectors.RelativeDifference(chunked.Gradient.Host(), whole.Gradient.Host()).ShouldBeLessThan(1e-5);
        }
    }

    /// <summary>Depends on the position, so that a wrong chunk shows.</summary>
    private sealed class SquaredLogits : IDistributionLoss
    {
        public ChunkLoss Evaluate(LogitsChunk chunk)
        {
            var slopes = chunk.Logits * torch.tensor(chunk.Rows.Select(row => row.Position + 1f).ToArray()).unsqueeze(1);
            return new ChunkLoss((slopes * chunk.Logits).sum() * 0.5f, slopes);
        }

        public double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient)
        {
            double sum = 0;
            for (int i = 0; i < logits.Length; i++)
            {
                sum += 0.5 * (position + 1) * logits[i] * logits[i];
                gradient[i] = (position + 1) * logits[i];
            }

            return sum;
        }
    }
}
