using Distill.Student.Fused;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Student.Tests.Training;

public sealed class TrainingOptionsTests
{
    [Theory]
    [InlineData(MatmulPrecision.Mixed, DeviceType.CPU, true, MatmulPrecision.Mixed)]
    [InlineData(MatmulPrecision.Mixed, DeviceType.CPU, false, MatmulPrecision.Fp32)]
    [InlineData(MatmulPrecision.Mixed, DeviceType.CUDA, false, MatmulPrecision.Mixed)]
    [InlineData(MatmulPrecision.Fp16, DeviceType.CPU, false, MatmulPrecision.Fp16)]
    [InlineData(MatmulPrecision.Fp32, DeviceType.CPU, true, MatmulPrecision.Fp32)]
    public void Mixed_precision_is_fp32_where_products_of_bf16_are_slow(
        MatmulPrecision asked, DeviceType device, bool hasProducts, MatmulPrecision computed)
    {
        var options = new TrainingOptions { Precision = asked, LearningRate = 0.25 };
        options.On(device, hasProducts).ShouldBe(options with { Precision = computed });
    }

    [Fact]
    public void A_model_computes_and_takes_memory_as_this_processor_does()
    {
        var options = new TrainingOptions { Precision = MatmulPrecision.Mixed, Threads = 1, MicroBatchTokens = 128 };
        var computed = TrainingOptions.HasBFloat16Products ? MatmulPrecision.Mixed : MatmulPrecision.Fp32;
        var architecture = TinyDecoder.Architecture();
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = TinyDecoder.Sequences(architecture, 40);
        using var model = GradientModels.Create(parameters, options, 128);
        using IGradientModel same = new FusedGradientModel(parameters, computed, 1, 128, options.RoundingSeed);
        model.Score(sequences)[0].ShouldBe(same.Score(sequences)[0]);
        TrainingMemory.Of(architecture, options, 128).ShouldBe(TrainingMemory.OfFused(architecture, computed, 1, 128));
    }
}
