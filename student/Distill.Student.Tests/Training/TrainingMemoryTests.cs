using Distill.Student.Adapters;
using Distill.Student.Fused;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Student.Tests.Training;

/// <summary>What a prediction must do; how well it fits is a benchmark, <c>training-memory</c>.</summary>
public sealed class TrainingMemoryTests
{
    private static readonly TrainingOptions Options = new() { Precision = MatmulPrecision.Fp32, Threads = 1, MicroBatchTokens = 64 };

    [Fact]
    public void Fp32_holds_sixteen_bytes_per_parameter_beside_activations()
    {
        var architecture = TinyDecoder.Architecture();
        var memory = TrainingMemory.Of(architecture, Options, 32);
        (memory.Weights + memory.Optimizer + memory.Gradients).ShouldBe(16 * architecture.ParameterCount);
        var more = TrainingMemory.Of(architecture, Options with { Threads = 2 }, 32);
        more.Gradients.ShouldBe(memory.Gradients);
        more.Activations.ShouldBe(2 * memory.Activations);
    }

    [Fact]
    public void A_sequence_longer_than_the_micro_batch_counts_and_a_shorter_one_does_not()
    {
        var architecture = TinyDecoder.Architecture();
        long Total(int longest) => TrainingMemory.Of(architecture, Options, longest).Total;
        Total(64).ShouldBe(Total(10));
        Total(128).ShouldBeGreaterThan(Total(64));
    }

    [Fact]
    public void Checkpointing_saves_activations_of_autograd_and_leaves_the_fused_passes_alone()
    {
        var fused = TinyDecoder.Architecture() with { Layers = 12 };
        var odd = fused with { HeadSize = 24 }; // no multiple of 16
        var checkpointing = Options with { ActivationCheckpointing = true };
        TrainingMemory.Of(fused, checkpointing, 64).ShouldBe(TrainingMemory.Of(fused, Options, 64));
        TrainingMemory.Of(odd, checkpointing, 64).Activations.ShouldBeLessThan(TrainingMemory.Of(odd, Options, 64).Activations / 4);
    }

    [Theory]
    [InlineData(FrozenForm.Float, 0.0)]
    [InlineData(FrozenForm.Int8, 9.0 / 8)]
    [InlineData(FrozenForm.Int4, 5.0 / 8)]
    public void Adapters_have_a_gradient_and_moments_of_themselves_alone(FrozenForm form, double frozenBytes)
    {
        var lowRank = new LowRankOptions(4, 8, LowRankOptions.AllTargets) { Frozen = form };
        var odd = TinyDecoder.Architecture() with { HeadSize = 24, HiddenSize = 64, IntermediateSize = 96 }; // not for the fused passes
        using var parameters = TinyDecoder.Parameters(odd);
        using var adapters = new LowRankAdapters(parameters, lowRank, seed: 1);
        using var model = GradientModels.Create(parameters, adapters, form, Options);
        var memory = AdapterMemory.Of(odd, Options, lowRank, 32).Device;
        memory.Gradients.ShouldBe(4 * model.Gradient.numel());
        (memory.Gradients, memory.Optimizer).ShouldBe((4 * adapters.Count, 8 * adapters.Count));
        long projections = parameters.Places.Where(place => place.Name.EndsWith("_proj.weight", StringComparison.Ordinal))
            .Sum(place => place.Spec.Count);
        memory.Weights.ShouldBe((4 * odd.ParameterCount) + (long)(frozenBytes * projections) + (4 * adapters.Count));
    }

    [Fact]
    public void Adapters_that_the_fused_passes_merge_cost_the_whole_gradient_and_a_copy_of_what_they_adapt()
    {
        var architecture = TinyDecoder.Architecture();
        var lowRank = new LowRankOptions(4, 8, ["q_proj"]);
        var memory = AdapterMemory.Of(architecture, Options, lowRank, 32).Device;
        var whole = TrainingMemory.Of(architecture, Options, 32);
        long adapters = 4 * architecture.Layers * (architecture.HiddenSize + (architecture.Heads * architecture.HeadSize));
        memory.Gradients.ShouldBe(whole.Gradients + (4 * adapters));
        memory.Optimizer.ShouldBe(8 * adapters);
        long adapted = (long)architecture.Layers * architecture.HiddenSize * architecture.Heads * architecture.HeadSize;
        memory.Weights.ShouldBe(whole.Weights + (4 * (adapted + adapters)));
    }

    [Fact]
    public void A_device_holds_no_single_precision_base_of_projections_in_blocks_and_the_computer_does()
    {
        var architecture = TinyDecoder.Architecture();
        var lowRank = new LowRankOptions(4, 8, LowRankOptions.AllTargets);
        var whole = AdapterMemory.Of(architecture, Options, lowRank, 32, DeviceType.CUDA);
        var blocks = AdapterMemory.Of(architecture, Options, lowRank with { Frozen = FrozenForm.Int8 }, 32, DeviceType.CUDA);
        whole.Host.ShouldBe(0);
        blocks.Host.ShouldBe(4 * architecture.ParameterCount);
        whole.Device.Weights.ShouldBeGreaterThan(4 * architecture.ParameterCount);
        blocks.Device.Weights.ShouldBeLessThan(whole.Device.Weights / 2);
        whole.Device.Gradients.ShouldBe(blocks.Device.Gradients); // no fused passes there, which need the whole gradient
    }

    // One projection, as it is read: fp32, and a 16-bit copy where there is one; four bits are first taken apart.
    [Theory, InlineData(FrozenForm.Int8, MatmulPrecision.Fp32, 4), InlineData(FrozenForm.Int8, MatmulPrecision.Mixed, 4),
        InlineData(FrozenForm.Int4, MatmulPrecision.Fp32, 6), InlineData(FrozenForm.Int4, MatmulPrecision.Mixed, 6)]
    public void Blocks_are_widened_one_projection_at_a_time(FrozenForm form, MatmulPrecision precision, int bytes)
    {
        if (precision == MatmulPrecision.Mixed && TrainingOptions.HasBFloat16Products) bytes += 2;
        var architecture = TinyDecoder.Architecture() with { HiddenSize = 64, IntermediateSize = 96, HeadSize = 24 };
        var lowRank = new LowRankOptions(4, 8, LowRankOptions.AllTargets);
        var options = Options with { Precision = precision };
        long Working(FrozenForm frozen) => AdapterMemory.Of(architecture, options, lowRank with { Frozen = frozen }, 32).Device.Activations;
        (Working(form) - Working(FrozenForm.Float)).ShouldBe(bytes * 96 * 64);
    }
}
