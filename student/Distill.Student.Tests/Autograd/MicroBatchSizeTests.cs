using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Student.Adapters;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Student.Tests.Autograd;

[Collection(nameof(CountedTensors))]
public sealed class MicroBatchSizeTests
{
    private static readonly DecoderArchitecture s_135M = new()
    {
        ModelType = "llama", VocabularySize = 49_152, HiddenSize = 576, Layers = 30, Heads = 9, KeyValueHeads = 3, HeadSize = 64,
        IntermediateSize = 1536, MaxPositions = 2048, QueryKeyNorm = false, TieEmbeddings = true,
    };

    [Fact]
    public void A_card_reads_as_much_at_once_as_its_activations_leave_room_for()
    {
        const long Gigabytes = 1L << 30;
        int On(DecoderArchitecture architecture, MatmulPrecision precision = MatmulPrecision.Mixed, int least = 2048, long? card = null) =>
            MicroBatchSize.On(architecture, precision, new AutogradOptions(Capacity: least), card);
        On(TinyDecoder.Architecture()).ShouldBe(16_384);
        On(s_135M).ShouldBe(8192);
        On(s_135M, MatmulPrecision.Fp32).ShouldBeLessThan(8192);
        On(s_135M, card: 80 * Gigabytes).ShouldBe(8192);
        On(s_135M, card: 16 * Gigabytes).ShouldBe(4096);
        On(s_135M, card: 4 * Gigabytes).ShouldBe(2048);
        var large = s_135M with
            { HiddenSize = 4096, Layers = 32, Heads = 32, KeyValueHeads = 8, HeadSize = 128, IntermediateSize = 14_336 };
        On(large).ShouldBe(2048);
        On(s_135M, least: 32_768).ShouldBe(32_768);
        AutogradOptions.Of(s_135M, new TrainingOptions(), DeviceType.CPU).Capacity.ShouldBe(2048);
    }

    [Fact]
    public void What_is_planned_is_what_a_card_reads_at_once()
    {
        var options = new TrainingOptions();
        var passes = AutogradOptions.Of(s_135M, options, DeviceType.CUDA);
        TrainingMemory.Of(s_135M, options, 512, DeviceType.CUDA).ShouldBe(TrainingMemory.OfAutograd(s_135M, options.Precision, passes));
        var lora = new LowRankOptions(4, 8, LowRankOptions.AllTargets);
        AdapterMemory.Of(s_135M, options, lora, 512, DeviceType.CUDA).Device.Activations
            .ShouldBe(TrainingMemory.OfAutograd(s_135M, options.Precision, passes).Activations);
    }

    [Fact]
    public void Memory_that_is_too_little_makes_micro_batches_smaller_and_changes_nothing_else()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, [.. Enumerable.Repeat(56, 160)]);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var whole = new AutogradGradientModel(parameters);
        var expected = whole.Differentiate(sequences, loss);
        var card = new SmallCard(rows: 3000);
        using var weights = new TrainedWeights(parameters, MatmulPrecision.Fp32, null, threads: 1);
        using var model = new AutogradGradientModel(parameters, weights, new AutogradOptions(Capacity: 16_384), card);
        var given = model.Differentiate(sequences, loss);
        (card.Refusals, card.Most).ShouldBe((3, 2035)); // at 16,384, 8,192 and 4,096 tokens
        given.Loss.ShouldBe(expected.Loss, 1e-6);
        Vectors.RelativeDifference(model.Gradient.Host(), whole.Gradient.Host()).ShouldBeLessThan(1e-5);
        model.Score(sequences).Count.ShouldBe(160);
        card.Refusals.ShouldBe(3); // it is remembered
    }

    // Wherever it happens: what a pass has kept so far is let go, or there would be no room for a smaller one.
    [Theory]
    [InlineData(0, false), InlineData(1, false), InlineData(3, false), InlineData(4, false), InlineData(5, true)]
    public void A_pass_that_fails_leaves_nothing_behind(int after, bool checkpointing)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture() with { Layers = 4 });
        var sequences = TinyDecoder.Sequences(parameters.Architecture, [.. Enumerable.Repeat(56, 40)]);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var whole = new AutogradGradientModel(parameters, MatmulPrecision.Fp16);
        whole.Differentiate(sequences, loss);
        using var weights = new TrainedWeights(parameters, MatmulPrecision.Fp16, null, threads: 1);
        var card = new FailingCard(after);
        using var model = new AutogradGradientModel(
            parameters, weights, new AutogradOptions(Capacity: 2048, Checkpointing: checkpointing), card);
        model.Score(sequences[..1]); // what is made once is there
        card.Counts = true;
        long before = CountedTensors.Settled();
        Should.Throw<TorchFault>(() => model.Differentiate(sequences, loss));
        torch.Tensor.TotalCount.ShouldBe(before);
        card.Counts = false;
        model.Differentiate(sequences, loss);
        Vectors.RelativeDifference(model.Gradient.Host(), whole.Gradient.Host()).ShouldBeLessThan(1e-2);
    }

    [Fact]
    public void Memory_that_is_too_little_for_the_least_is_said()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 60);
        using var weights = new TrainedWeights(parameters, MatmulPrecision.Fp32, null, threads: 1);
        using var model = new AutogradGradientModel(parameters, weights, new AutogradOptions(Capacity: 16_384), new SmallCard(rows: 1));
        Should.Throw<ExternalException>(() => model.Score(sequences)).Message.ShouldContain("out of memory");
        MicroBatchSize.Below(16_384, new TorchFault("Expected all tensors to be on the same device")).ShouldBeNull();
    }

    private sealed class TorchFault(string message) : ExternalException(message);

    /// <summary>Fails in attention, after so many calls of it.</summary>
    private sealed class FailingCard(int after) : IDeviceOperations
    {
        private int calls;

        public bool Counts { get; set; }

        public torch.Tensor Rows(torch.Tensor table, torch.Tensor indices) => DeviceOperations.Instance.Rows(table, indices);

        public torch.Tensor Attention(torch.Tensor queries, torch.Tensor keys, torch.Tensor values, torch.Tensor? mask) =>
            Counts && calls++ == after ? throw new TorchFault("CUDA out of memory.")
                : DeviceOperations.Instance.Attention(queries, keys, values, mask);

        public float[] ToHost(torch.Tensor values) => Counts && after == 4 ? throw new TorchFault("CUDA out of memory.")
            : DeviceOperations.Instance.ToHost(values);
    }

    /// <summary>Has no memory for more rows than so many.</summary>
    private sealed class SmallCard(int rows) : IDeviceOperations
    {
        public int Refusals { get; private set; }

        public int Most { get; private set; }

        public torch.Tensor Rows(torch.Tensor table, torch.Tensor indices)
        {
            if (indices.shape[0] > rows)
            {
                Refusals++;
                throw new TorchFault("CUDA out of memory. Tried to allocate 2.00 GiB.");
            }

            Most = Math.Max(Most, (int)indices.shape[0]);
            return DeviceOperations.Instance.Rows(table, indices);
        }

        public torch.Tensor Attention(torch.Tensor queries, torch.Tensor keys, torch.Tensor values, torch.Tensor? mask) =>
            DeviceOperations.Instance.Attention(queries, keys, values, mask);

        public float[] ToHost(torch.Tensor values) => DeviceOperations.Instance.ToHost(values);
    }
}
