using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Training;

/// <summary>The passes of any device, on the CPU, against those that the processor has of its own.</summary>
[Collection(nameof(CountedTensors))]
public sealed class TensorPassesTests
{
    [Fact]
    public void Twenty_steps_of_AdamW_give_the_weights_and_moments_of_the_fused_pass()
    {
        var options = new AdamWOptions(WeightDecay: 0.3);
        using FlatParameters fused = TinyDecoder.Parameters(TinyDecoder.Architecture()),
            tensors = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        using AdamW one = new(fused, options), other = new(tensors, options);
        var normal = new NormalStream(4);
        for (int step = 0; step < 20; step++)
        {
            float[] slopes = [.. Enumerable.Range(0, (int)fused.Count).Select(_ => (float)(0.1 * normal.Next()))];
            using var gradient = tensor(slopes);
            other.Update(gradient, 0.01).ShouldBe(one.Update(gradient, 0.01), 1e-6);
        }

        ShouldBeNear(tensors.Values, fused.Values, 1e-6);
        ShouldBeNear(other.FirstMoment, one.FirstMoment, 1e-6);
        ShouldBeNear(other.SecondMoment, one.SecondMoment, 1e-6);
    }

    [Fact]
    public void Sums_of_a_hundred_million_values_keep_their_digits()
    {
        const long count = 100_000_003;
        using var scope = NewDisposeScope();
        var values = full([count], 1e-3f, ScalarType.Float32);
        values[0] = 100;
        double small = 1e-3f, expected = 1e4 + ((count - 1) * small * small);
        TensorPasses.Instance.SumOfSquares(values).ShouldBe(expected, 1e-6 * expected);
    }

    // More bytes than an int counts, of which no page but the last is touched.
    [Theory]
    [InlineData(ScalarType.Float32, (1L << 29) + 16)]
    [InlineData(ScalarType.BFloat16, (1L << 30) + 16)]
    public unsafe void Values_of_any_number_are_read_in_place(ScalarType type, long count)
    {
        using var scope = NewDisposeScope();
        var values = empty([count], type);
        values[count - 1] = 3;
        if (type == ScalarType.BFloat16) ((ushort*)NativeRows.PointerOf(values))[count - 1].ShouldBe((ushort)0x4040);
        else (HostValues.Of(values)[^1], HostValues.PointerOf(values)[count - 1]).ShouldBe((3f, 3f));
    }

    [Fact]
    public void A_matrix_of_many_values_goes_in_and_out_in_pieces()
    {
        using var parameters = new FlatParameters(TinyDecoder.Architecture() with { VocabularySize = 400_000, Layers = 1 });
        var (name, _, spec) = parameters.Places.First();
        spec.Count.ShouldBeGreaterThan(1 << 24);
        float[] values = [.. Enumerable.Range(0, (int)spec.Count).Select(i => (float)i)];
        parameters.Set(name, values);
        parameters.SpanOf(name).SequenceEqual(values).ShouldBeTrue();
        parameters.ToWeightSet()[name].Span.SequenceEqual(values).ShouldBeTrue();
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_found_and_large_ones_are_not_taken_for_it(float bad)
    {
        using var scope = NewDisposeScope();
        var values = full([10_000], float.MaxValue, ScalarType.Float32);
        foreach (IFlatPasses passes in (IFlatPasses[])[TensorPasses.Instance, FusedPasses.Instance])
        {
            values[7777] = float.MaxValue;
            passes.AreFinite(values).ShouldBeTrue();
            values[7777] = bad;
            passes.AreFinite(values).ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(576L)]
    [InlineData((1L << 31) - 500)] // the index in the stream wraps
    [InlineData((1L << 32) + 7)]
    public void Stochastic_rounding_gives_the_bits_of_the_fused_pass(long first)
    {
        using var scope = NewDisposeScope();
        float[] values = Values(20_000);
        var source = tensor(values);
        foreach (int step in new[] { 0, 1, 77 })
        {
            var key = StochasticRounding.Key(seed: 5, step);
            Tensor one = empty([values.Length], ScalarType.BFloat16), other = empty_like(one);
            FusedPasses.Instance.Round(source, one, first, key, threads: 1);
            TensorPasses.Instance.Round(source, other, first, key, threads: 1);
            var (expected, actual) = (Bits(one), Bits(other));
            for (int i = 0; i < values.Length; i++) actual[i].ShouldBe(expected[i], $"{values[i]:R} at {i}");
        }
    }

    [Fact]
    public void Rounding_to_nearest_gives_the_bits_of_the_fused_pass()
    {
        using var scope = NewDisposeScope();
        var source = tensor(Values(20_000));
        Tensor one = empty([20_000], ScalarType.BFloat16), other = empty_like(one);
        FusedPasses.Instance.Round(source, one, 0, null, threads: 1);
        TensorPasses.Instance.Round(source, other, 0, null, threads: 1);
        Bits(other).ShouldBe(Bits(one));
    }

    [Fact]
    public void What_is_not_finite_stays_so()
    {
        using var scope = NewDisposeScope();
        var source = tensor(new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity });
        var target = empty([3], ScalarType.BFloat16);
        TensorPasses.Instance.Round(source, target, 0, StochasticRounding.Key(1, 1), threads: 1);
        target.isfinite().any().item<bool>().ShouldBeFalse();
    }

    [Fact]
    public void No_pass_leaves_a_tensor_behind()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: true);
        using var optimizer = new AdamW(parameters, new AdamWOptions());
        using var average = new WeightAverage(parameters, 0.9);
        using var gradient = parameters.Values.mul(0.1f);
        using var rounded = empty([parameters.Count], ScalarType.BFloat16);
        long before = Tensor.TotalCount;
        for (int step = 0; step < 3; step++)
        {
            optimizer.Update(gradient, 1e-3);
            average.Add(parameters.Values);
            parameters.Passes.Round(parameters.Values, rounded, 0, StochasticRounding.Key(1, step), threads: 1);
            parameters.Passes.AreFinite(parameters.Values).ShouldBeTrue();
        }

        Tensor.TotalCount.ShouldBeLessThanOrEqualTo(before);
    }

    // There a number that crosses to the host, and an operand that lies elsewhere, are exceptions.
    [Fact]
    public void Updates_averages_and_rounding_stay_on_the_device()
    {
        var meta = new Device("meta");
        using var scope = NewDisposeScope();
        using var parameters = new FlatParameters(TinyDecoder.Architecture(), meta);
        using var update = parameters.Passes.UpdatesOf(parameters);
        Tensor Like() => empty([parameters.Count], ScalarType.Float32, meta);
        update.Apply(Like(), Like(), Like(), new AdamWStep(1, 0.99, 0.9, 0.95, 1e-3, 1, 1e-8, 1e-3));
        using var muon = new MuonUpdate(parameters);
        muon.Apply(Like(), Like(), Like(), new AdamWStep(1, 0.99, 0.9, 0.95, 1e-3, 1, 1e-8, 1e-3));
        parameters.Passes.Average(Like(), Like(), 0.1);
        var rounded = empty([parameters.Count], ScalarType.BFloat16, meta);
        parameters.Passes.Round(Like(), rounded, 0, StochasticRounding.Key(1, 1), threads: 1);
        parameters.Passes.Round(Like(), rounded, 0, null, threads: 1);
        TensorPasses.SumOfSquaresOf(Like()).device.type.ShouldBe(DeviceType.META);
        Should.Throw<Exception>(() => parameters.Passes.SumOfSquares(Like())); // the one that is waited for
    }

    [Fact]
    public void A_model_of_more_parameters_than_an_int_counts_has_its_places_and_steps()
    {
        var meta = new Device("meta");
        var architecture = TinyDecoder.Architecture(tied: false) with
        {
            VocabularySize = 152_064,
            HiddenSize = 4096,
            IntermediateSize = 12_288,
            Layers = 32,
            Heads = 32,
            KeyValueHeads = 8,
            HeadSize = 128,
        };
        using var parameters = new FlatParameters(architecture, meta);
        parameters.Count.ShouldBeGreaterThan(7_000_000_000);
        parameters.Blocks.Sum(block => block.Count).ShouldBe(parameters.Count);
        parameters.Places.Last().Offset.ShouldBeGreaterThan(int.MaxValue);
        using var scope = NewDisposeScope();
        parameters.ValuesOf(parameters.Places.Last().Name).numel().ShouldBe(parameters.Places.Last().Spec.Count);
        using var update = parameters.Passes.UpdatesOf(parameters);
        Tensor Like() => empty([parameters.Count], ScalarType.Float32, meta);
        update.Apply(Like(), Like(), Like(), new AdamWStep(1, 0.99, 0.9, 0.95, 1e-3, 1, 1e-8, 1e-3));
        using var muon = new MuonUpdate(parameters);
        muon.Apply(Like(), Like(), Like(), new AdamWStep(1, 0.99, 0.9, 0.95, 1e-3, 1, 1e-8, 1e-3));
        TensorPasses.SumOfSquaresOf(Like()).numel().ShouldBe(1);
        TensorPasses.Instance.Round(
            Like(), empty([parameters.Count], ScalarType.BFloat16, meta), 0, StochasticRounding.Key(1, 1), threads: 1);
    }

    // Of every size that matters: zero, the smallest, bf16's grid, near the next power of two, large.
    private static float[] Values(int count)
    {
        var normal = new NormalStream(3);
        float Value() => (float)(normal.Next() * Math.Pow(2, Math.Clamp(40 * normal.Next(), -140, 100)));
        float[] values = [.. Enumerable.Range(0, count).Select(_ => Value())];
        for (int i = 0; i < 1000; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)(i * 65_521)); // denormals and their neighbours
        for (int i = 1000; i < 2000; i++) values[i] = BitConverter.UInt32BitsToSingle(0x3F7FFF00u + (uint)(i - 1000)); // up to and over 1
        for (int i = 2000; i < 3000; i++)
            values[i] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(values[i]) & 0xFFFF0000);
        return values;
    }

    private static short[] Bits(Tensor rounded) =>
        [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(rounded.bytes)];

    private static void ShouldBeNear(Tensor actual, Tensor expected, double tolerance) =>
        Vectors.RelativeDifference(actual.Host(), expected.Host()).ShouldBeLessThan(tolerance);
}
