using Distill.Export.Formats;
using Distill.Student.Adapters;
using Distill.Student.Fused;

namespace Distill.Export.Tests.Formats;

public sealed class BlockQuantizerTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Rounding_moves_no_weight_by_more_than_half_a_step_or_a_whole_one_at_the_far_end(int bits)
    {
        var random = new Random(3);
        float[] row = [.. Enumerable.Range(0, 80).Select(_ => random.NextSingle() - 0.5f)];
        float[] rounded = [.. row], scales = new float[3];
        var quantizer = new BlockQuantizer(bits, 32);
        quantizer.RoundTrip(rounded);
        quantizer.Scales(row, scales);
        for (int i = 0; i < row.Length; i++) Math.Abs(rounded[i] - row[i]).ShouldBeLessThanOrEqualTo(Math.Abs(scales[i / 32]) * 1.0001f);
        rounded.ShouldNotBe(row);
        rounded.Max(Math.Abs).ShouldBe(row.Max(Math.Abs), 1e-6f); // the extreme is exact
    }

    [Fact]
    public void Codes_and_round_trip_tell_the_same()
    {
        float[] row = [.. Enumerable.Range(0, 40).Select(i => MathF.Sin(i * 1.7f))];
        var quantizer = new BlockQuantizer(4, 16);
        byte[] codes = new byte[3 * quantizer.Layout.BlockBytes];
        float[] scales = new float[3], rounded = [.. row];
        quantizer.Codes(row, codes);
        quantizer.Scales(row, scales);
        quantizer.RoundTrip(rounded);
        for (int i = 0; i < row.Length; i++) (((codes[i / 2] >> (4 * (i & 1)) & 15) - 8) * scales[i / 16]).ShouldBe(rounded[i]);
        codes[(40 / 2)..].ShouldAllBe(padding => padding == 0x88);
    }

    [Fact]
    public void Zeros_stay_zeros_and_denormals_do_no_harm()
    {
        float[] row = new float[32];
        new BlockQuantizer(4, 32).RoundTrip(row);
        row.ShouldAllBe(value => value == 0);
        row[3] = float.Epsilon;
        new BlockQuantizer(8, 32).RoundTrip(row);
        row.ShouldAllBe(value => float.IsFinite(value));
    }

    // What adapters are trained over is what would be exported.
    [Theory]
    [InlineData(4, 64)]
    [InlineData(8, 64)]
    [InlineData(4, 70)]
    public void Frozen_weights_of_a_training_have_the_same_blocks(int bits, int columns)
    {
        var random = new Random(5);
        float[] row = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle() - 0.5f)];
        row.AsSpan(32, 20).Clear();
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var frozen = new BlockMatrix(
            TorchSharp.torch.tensor(row).view(1, columns), bits, TorchSharp.torch.ScalarType.Float32, TorchSharp.torch.CPU);
        float[] widened = HostValues.Of(frozen.Values().contiguous()).ToArray(), rounded = [.. row];
        new BlockQuantizer(bits, BlockMatrix.BlockSize).RoundTrip(rounded);
        widened.ShouldBe(rounded);
    }

    [Theory]
    [InlineData(3, 32)]
    [InlineData(4, 8)]
    [InlineData(4, 48)]
    [InlineData(4, 512)]
    public void Sizes_that_the_operator_does_not_know_are_refused(int bits, int blockSize) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new BlockQuantizer(bits, blockSize));
}
