using Distill.Architecture;
using TorchSharp;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Autograd;

[Collection(nameof(CountedTensors))]
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

    // Of every chunk stay its targets and three numbers a token, each with a view of them: no logits, nor what these were made of.
    [Fact]
    public void Logits_of_a_chunk_end_with_it()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 60);
        int learned = sequences[0].SupervisedCount;
        long Alive(long logitsAtOnce, Action<AutogradGradientModel> pass)
        {
            var operations = new CountingOperations();
            using var weights = new TrainedWeights(parameters, MatmulPrecision.Fp32, null, threads: 1);
            using var model = new AutogradGradientModel(
                parameters, weights, new AutogradOptions { LogitsAtOnce = logitsAtOnce }, operations);
            pass(model);
            return operations.Alive;
        }

        foreach (var pass in (Action<AutogradGradientModel>[])
            [model => model.Score(sequences), model => model.Differentiate(sequences, new CrossEntropy(learned))])
            (Alive(61, pass) - Alive(61 * 200, pass)).ShouldBeLessThanOrEqualTo(7 * (learned - 1));
    }

    [Theory]
    [InlineData(MatmulPrecision.Fp32)]
    [InlineData(MatmulPrecision.Mixed)]
    [InlineData(MatmulPrecision.Fp16)]
    public void Products_in_fp32_are_rounded_to_TF32_only_where_that_is_asked_for(MatmulPrecision precision)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var weights = new CudaWeights(new TrainedWeights(parameters, precision, null, threads: 1));
        bool before = torch.backends.cuda.matmul.allow_tf32;
        foreach (bool allow in (bool[])[false, true])
        {
            using (ComputeSettings.Of(weights, new AutogradOptions(AllowTf32: allow)))
                torch.backends.cuda.matmul.allow_tf32.ShouldBe(allow);
            torch.backends.cuda.matmul.allow_tf32.ShouldBe(before);
        }
    }

    // In fp16 the product of these would be infinite: what enters a QK-norm comes as it left the projection, and so does its gradient
    // where no rotary embedding follows.
    [Fact]
    public void The_norm_widens_before_it_multiplies()
    {
        using var scope = torch.NewDisposeScope();
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var weights = new TrainedWeights(parameters, MatmulPrecision.Fp16, null, threads: 1);
        var norm = new RootMeanSquareNorm(weights, "model.layers.0.self_attn.q_norm.weight");
        torch.Tensor x = torch.full([3, 16], 300f, torch.ScalarType.Float16), slopes = torch.full([3, 16], 400f, torch.ScalarType.Float16);
        var sum = torch.zeros([3, 16]);
        norm.Backward(x, norm.Forward(x).Inverse, slopes, sum);
        weights.Gradient.Values.isfinite().all().item<bool>().ShouldBeTrue();
        weights.Gradient.Values.amax([0]).item<float>().ShouldBe(3 * 400, 0.1f); // Σ over rows of slope · x · r, and x · r is 1
        sum.isfinite().all().item<bool>().ShouldBeTrue();
    }

    /// <summary>Counts the tensors that are alive where a micro-batch's numbers are read.</summary>
    private sealed class CountingOperations : IDeviceOperations
    {
        public long Alive { get; private set; }

        public torch.Tensor Rows(torch.Tensor table, torch.Tensor indices) => DeviceOperations.Instance.Rows(table, indices);

        public torch.Tensor Attention(torch.Tensor queries, torch.Tensor keys, torch.Tensor values, torch.Tensor? mask) =>
            DeviceOperations.Instance.Attention(queries, keys, values, mask);

        public float[] ToHost(torch.Tensor values)
        {
            Alive = torch.Tensor.TotalCount;
            return DeviceOperations.Instance.ToHost(values);
        }
    }

    /// <summary>Weights that say they lie on a CUDA device.</summary>
    private sealed class CudaWeights(TrainedWeights weights) : IDecoderWeights
    {
        public DecoderArchitecture Architecture => weights.Architecture;

        public torch.Device Device { get; } = new("cuda:0");

        public torch.ScalarType Precision => weights.Precision;

        public FlatGradient Gradient => weights.Gradient;

        public IFlatPasses Passes => weights.Passes;

        public void Refresh() => weights.Refresh();

        public IProjection Projection(int layer, string name) => weights.Projection(layer, name);

        public torch.Tensor Weight(string name) => weights.Weight(name);

        public long? GradientOffset(string name) => weights.GradientOffset(name);

        public void Dispose() => weights.Dispose();
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
