using Distill.Student.Fused;
using Distill.Student.Training;

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
}
