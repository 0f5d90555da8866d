using Distill.Student.Adapters;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Autograd;

/// <summary>
/// A pass over tensors without values: whatever reads one on the way, or brings a tensor of the processor to an elementwise operation, is
/// refused there by libtorch. What it has no kernel for is replaced in one place: rows by index, attention, and the one way to the host.
/// A matrix product with a factor that lies elsewhere it does not refuse.
/// </summary>
public sealed class MetaDeviceTests
{
    [Theory]
    [InlineData("plain", MatmulPrecision.Fp32, false)]
    [InlineData("plain", MatmulPrecision.Mixed, true)]
    [InlineData("plain", MatmulPrecision.Mixed, false)]
    [InlineData("everything", MatmulPrecision.Fp32, true)]
    [InlineData("window 7", MatmulPrecision.Fp16, false)]
    public void Nothing_but_sums_and_log_probabilities_leaves_the_device(string feature, MatmulPrecision precision, bool checkpointing)
    {
        using var parameters = new FlatParameters(AutogradFamilyTests.With(feature), META);
        var operations = new MetaOperations();
        using var model = new AutogradGradientModel(
            parameters, new TrainedWeights(parameters, precision, 1, 1), new AutogradOptions(150, 1, checkpointing), operations);
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33, 64, 70, 68, 2, 100);
        sequences.AddRange(sequences[..6].Select(sequence => sequence with { Tokens = [.. sequence.Tokens, 1] })); // prompts shared
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        if (precision == MatmulPrecision.Fp16) // asks whether the gradient is finite, which is a value
            Should.Throw<Exception>(() => model.Differentiate(sequences, loss)).Message.ShouldContain("meta", Case.Insensitive);
        else model.Differentiate(sequences, loss);
        operations.Read.ShouldBe(new MicroBatches(150, 128).Of(sequences).Select(batch => 3L * batch.Targets.Length)); // once each
        model.Score(sequences).Count.ShouldBe(sequences.Count);
        model.Gradient.device_type.ShouldBe(DeviceType.META);
    }

    // The base in the computer's memory, as much of it as is read on the device; and a loss over distributions.
    [Theory]
    [InlineData(FrozenForm.Float, MatmulPrecision.Fp32)]
    [InlineData(FrozenForm.Float, MatmulPrecision.Mixed)]
    [InlineData(FrozenForm.Int8, MatmulPrecision.Fp32)]
    [InlineData(FrozenForm.Int4, MatmulPrecision.Mixed)]
    [InlineData(FrozenForm.Int8, MatmulPrecision.Fp16)]
    public void Adapters_over_a_base_that_lies_elsewhere_stay_on_their_device(FrozenForm form, MatmulPrecision precision)
    {
        using var parameters = TinyDecoder.Parameters(AutogradFamilyTests.With("everything"));
        using var adapters = new LowRankAdapters(parameters, new LowRankOptions(2, 4, LowRankOptions.AllTargets), seed: 1, META);
        var operations = new MetaOperations();
        using var model = new AutogradGradientModel(
            parameters, new AdapterWeights(parameters, adapters, precision, form, 1, 1), new AutogradOptions(150, 1, true), operations);
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33);
        int learned = sequences.Sum(sequence => sequence.SupervisedCount);
        var loss = new SupervisedLossOptions { LabelSmoothing = 0.1, EntropyBonus = 0.1 }.ToLoss(learned, 3);
        if (precision == MatmulPrecision.Fp16) // asks whether the gradient is finite, where it lies: it is libtorch that has no answer
            Should.Throw<System.Runtime.InteropServices.ExternalException>(() => model.Differentiate(sequences, loss));
        else model.Differentiate(sequences, loss);
        operations.Read.Sum().ShouldBe((3L * learned) + operations.Read.Count); // and the loss, once per micro-batch
        model.Gradient.numel().ShouldBe(adapters.Count);
        model.Gradient.device_type.ShouldBe(DeviceType.META);
    }

    /// <summary>The operations without a kernel, by their shapes; every operand must lie on the device.</summary>
    private sealed class MetaOperations : IDeviceOperations
    {
        public List<long> Read { get; } = [];

        public Tensor Rows(Tensor table, Tensor indices)
        {
            Require(table, indices);
            return empty([indices.numel(), table.shape[1]], table.dtype, META);
        }

        public Tensor Attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask)
        {
            Require([queries, keys, values, .. mask is null ? Array.Empty<Tensor>() : [mask]]);
            mask?.shape.ShouldBe([queries.shape[2], keys.shape[2]]);
            mask?.dtype.ShouldBe(queries.dtype);
            keys.shape.ShouldBe(values.shape);
            return queries + (keys * values).sum(2, keepdim: true); // carries a graph
        }

        public float[] ToHost(Tensor values)
        {
            Require(values);
            values.dtype.ShouldBe(ScalarType.Float32);
            Read.Add(values.numel());
            return new float[values.numel()];
        }

        private static void Require(params Tensor[] tensors)
        {
            foreach (var tensor in tensors) tensor.device_type.ShouldBe(DeviceType.META);
        }
    }
}
