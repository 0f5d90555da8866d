using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Formats;

namespace Distill.Export.Tests.Formats;

public sealed class BlockQuantizerTests
{
    [Fact]
    public void Codes_and_scales_are_those_of_ONNX_Runtimes_default_quantizer()
    {
        string folder = FixtureFolder.Require("quantization");
        using var tensors = SafeTensorsFile.Open(Path.Combine(folder, "matmulnbits.safetensors"));
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "matmulnbits.json")));
        int compared = 0;
        foreach (var entry in cases.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (entry.GetProperty("algorithm").GetString() != "default" || !entry.GetProperty("symmetric").GetBoolean()
                || !tensors.Contains(entry.GetProperty("name").GetString() + ".B")) continue;
            compared += Compare(tensors, entry);
        }

        compared.ShouldBeGreaterThan(1000);
    }

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
        byte[] codes = new byte[3 * quantizer.BlockBytes];
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

    [Theory]
    [InlineData(3, 32)]
    [InlineData(4, 8)]
    [InlineData(4, 48)]
    [InlineData(4, 512)]
    public void Sizes_that_the_operator_does_not_know_are_refused(int bits, int blockSize) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new BlockQuantizer(bits, blockSize));

    private static int Compare(SafeTensorsFile tensors, JsonElement entry)
    {
        string name = entry.GetProperty("name").GetString()!, matrix = entry.GetProperty("matrix").GetString()!;
        int k = entry.GetProperty("K").GetInt32(), n = entry.GetProperty("N").GetInt32();
        var quantizer = new BlockQuantizer(entry.GetProperty("bits").GetInt32(), entry.GetProperty("block_size_written").GetInt32());
        int blocks = quantizer.BlocksOf(k), compared = 0;
        float[] weights = tensors.ReadSingles(matrix + ".w"), expectedScales = tensors.ReadSingles(name + ".scales");
        byte[] expectedCodes = tensors.ReadBytes(name + ".B");
        byte[] codes = new byte[blocks * quantizer.BlockBytes];
        float[] scales = new float[blocks];
        for (int row = 0; row < n; row++)
        {
            float[] values = [.. Enumerable.Range(0, k).Select(i => weights[(i * n) + row])];
            quantizer.Codes(values, codes);
            quantizer.Scales(values, scales);
            for (int block = 0; block < blocks; block++)
            {
                int from = block * quantizer.BlockSize, to = Math.Min(k, from + quantizer.BlockSize);
                float expected = expectedScales[(row * blocks) + block];
                // Where +max and −max tie either sign is right.
                if (expected == -scales[block] && expected != 0 && values[from..to].Max() == -values[from..to].Min()) continue;
                scales[block].ShouldBe(expected, $"{name} row {row} block {block}");
                for (int i = from; i < to; i++)
                    CodeAt(codes, quantizer, block, i - from)
                        .ShouldBe(CodeAt(expectedCodes.AsSpan(row * codes.Length, codes.Length), quantizer, block, i - from),
                        $"{name} row {row} column {i}");
                compared++;
            }
        }

        return compared;
    }

    private static int CodeAt(ReadOnlySpan<byte> codes, BlockQuantizer quantizer, int block, int index)
    {
        var bytes = codes.Slice(block * quantizer.BlockBytes, quantizer.BlockBytes);
        return quantizer.Bits == 8 ? bytes[index] : (bytes[index / 2] >> (4 * (index & 1))) & 15;
    }
}
