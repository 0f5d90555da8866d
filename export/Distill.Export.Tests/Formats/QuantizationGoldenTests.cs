using System.Runtime.InteropServices;
using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Graph;
using Distill.Export.Onnx;
using Distill.Export.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Formats;

/// <summary>
/// Codes, scales, rounded weights and products against ONNX Runtime's own quantizers: its default algorithm, symmetric, which is the one
/// that exports use. Cases of other algorithms are passed over.
/// </summary>
public sealed class QuantizationGoldenTests
{
    // Relative to Σ|x||w|, as the golden values' description has it. Level 4 rounds activations to int8 by block.
    private const double ExactLevel = 1e-5, RoundedLevel = 0.02;

    public static TheoryData<string> Matrices => FixtureCases.Rows(IsOurs, "quantization", "matmulnbits.json");

    // BlockFormat multiplies in blocks of 32.
    public static TheoryData<string> Products =>
        FixtureCases.Rows(entry => IsOurs(entry) && BlockOf(entry) == 32, "quantization", "matmulnbits.json");

    public static TheoryData<string> Embeddings => FixtureCases.Rows(IsTied, "quantization", "gatherblock.json");

    [Theory, MemberData(nameof(Matrices))]
    public void Codes_scales_and_rounded_weights_are_those_of_the_default_quantizer(string name)
    {
        using var golden = new GoldenMatrix("matmulnbits", name);
        var entry = golden.Entry;
        string matrix = entry.GetProperty("matrix").GetString()!;
        int k = entry.GetProperty("K").GetInt32(), n = entry.GetProperty("N").GetInt32();
        var quantizer = new BlockQuantizer(entry.GetProperty("bits").GetInt32(), BlockOf(entry));
        float[] weights = golden.Tensors.ReadSingles(matrix + ".w"), rounded = golden.Singles("dequantised") ?? [];
        int compared = 0;
        for (int row = 0; row < n; row++)
        {
            float[] values = [.. Enumerable.Range(0, k).Select(i => weights[(i * n) + row])]; // [K, N] by columns
            bool sameSigns = golden.CompareRow(quantizer, values, row);
            compared++;
            if (!sameSigns || rounded.Length == 0) continue;
            quantizer.RoundTrip(values);
            for (int i = 0; i < k; i++) values[i].ShouldBe(rounded[(i * n) + row], $"row {row} column {i}");
        }

        compared.ShouldBe(n);
    }

    [Theory, MemberData(nameof(Products))]
    public void Products_of_the_exported_operator_are_those_of_the_reference(string name)
    {
        using var golden = new GoldenMatrix("matmulnbits", name);
        string matrix = golden.Entry.GetProperty("matrix").GetString()!;
        int k = golden.Entry.GetProperty("K").GetInt32(), n = golden.Entry.GetProperty("N").GetInt32();
        float[] w = golden.Tensors.ReadSingles(matrix + ".w"), x = golden.Tensors.ReadSingles(matrix + ".x");
        foreach (var (level, tolerance) in new[] { (0, ExactLevel), (4, RoundedLevel) })
        {
            var format = new BlockFormat(golden.Entry.GetProperty("bits").GetInt32(), level);
            float[] actual = Product(format, w, x, k, n), expected = golden.Singles($"y{level}")!;
            for (int i = 0; i < actual.Length; i++)
            {
                double size = Enumerable.Range(0, k).Sum(j => Math.Abs((double)x[(i / n * k) + j] * w[(j * n) + (i % n)]));
                Math.Abs((double)actual[i] - expected[i]).ShouldBeLessThanOrEqualTo(tolerance * size, $"level {level}, output {i}");
            }
        }
    }

    [Theory, MemberData(nameof(Embeddings))]
    public void Rows_of_a_quantized_embedding_are_those_of_the_reference(string name)
    {
        using var golden = new GoldenMatrix("gatherblock", name);
        var shape = golden.Tensors.Entry("w").Shape; // [V, H]
        int width = (int)shape[1];
        var attributes = golden.Entry.GetProperty("attributes");
        var quantizer = new BlockQuantizer(attributes.GetProperty("bits").GetInt32(), attributes.GetProperty("block_size").GetInt32());
        float[] weights = golden.Tensors.ReadSingles("w"), expected = golden.Singles("y")!;
        for (int row = 0; row < shape[0]; row++)
            golden.CompareRow(quantizer, weights[(row * width)..((row + 1) * width)], row).ShouldBeTrue();
        long[] ids = golden.Tensors.ReadIntegers("ids");
        foreach (var (place, id) in ids.Index())
        {
            float[] values = weights[((int)id * width)..(((int)id + 1) * width)];
            quantizer.RoundTrip(values);
            for (int i = 0; i < width; i++) values[i].ShouldBe(expected[(place * width) + i], 1e-7f, $"id {id} column {i}");
        }

        float[] gathered = Gathered(quantizer, weights, width, ids);
        for (int i = 0; i < gathered.Length; i++) gathered[i].ShouldBe(expected[i], 1e-7f, $"number {i} of the graph's");
    }

    [Fact]
    public void Halves_are_rounded_to_nearest_even_at_every_edge()
    {
        using var tensors = SafeTensorsFile.Open(FixtureFolder.RequireFile("quantization", "fp16.safetensors"));
        float[] x = tensors.ReadSingles("x");
        long[] expected = tensors.ReadIntegers("half_bits");
        for (int i = 0; i < x.Length; i++)
        {
            byte[] stored = new byte[2];
            StoredNumbers.Write([x[i]], stored, OnnxElementType.Float16);
            if (float.IsNaN(x[i])) Half.IsNaN(BitConverter.ToHalf(stored)).ShouldBeTrue(); // its payload is not to be compared
            else ((long)BitConverter.ToUInt16(stored)).ShouldBe(expected[i], $"{x[i]:R}");
        }
    }

    // One projection in a graph of its own: x [rows, K] → [rows, N].
    private static float[] Product(BlockFormat format, float[] w, float[] x, int k, int n)
    {
        var graph = new GraphAssembly();
        var matrix = new ParameterSpec(ParameterMap.Layer(0, "mlp.gate_proj.weight"), [n, k]);
        format.Multiply(graph, "x", "y", "gate", new ProjectionWeights(matrix));
        var model = new OnnxModel
        {
            Name = "product",
            Inputs = [new("x", OnnxElementType.Float, ["rows", k])],
            Outputs = [new("y", OnnxElementType.Float, ["rows", n])],
            Nodes = graph.Nodes,
            Initializers = graph.Initializers,
        };
        using var session = OnnxRun.Open(new OnnxTemplate(model, "test").ToBytes(WithGate(w, k, n)));
        using var input = OrtValue.CreateTensorValueFromMemory(x, [x.Length / k, k]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["x"], [input], ["y"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    // Rows of a table of its own, [vocab, width], as a graph gathers them.
    private static float[] Gathered(BlockQuantizer quantizer, float[] weights, int width, long[] ids)
    {
        int rows = weights.Length / width, blocks = quantizer.Layout.BlocksOf(width), rowBytes = blocks * quantizer.Layout.BlockBytes;
        var graph = new GraphAssembly();
        void Codes(WeightSet _, int first, Span<byte> target)
        {
            for (int row = 0; row < target.Length / rowBytes; row++)
                quantizer.Codes(weights.AsSpan((first + row) * width, width), target.Slice(row * rowBytes, rowBytes));
        }

        void Scales(WeightSet _, int first, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, float>(target);
            for (int row = 0; row < rows; row++)
                quantizer.Scales(weights.AsSpan((first + row) * width, width), values.Slice(row * blocks, blocks));
        }

        string codes = graph.Constant(new("codes", OnnxElementType.UInt8, [rows, blocks, quantizer.Layout.BlockBytes], Codes));
        string scales = graph.Constant(new("scales", OnnxElementType.Float, [rows, blocks], Scales));
        PackedTable.Gather(graph, "ids", "y", codes, scales, quantizer);
        var model = new OnnxModel
        {
            Name = "table",
            Inputs = [new("ids", OnnxElementType.Int64, ["batch", "time"])],
            Outputs = [new("y", OnnxElementType.Float, ["batch", "time", width])],
            Nodes = graph.Nodes,
            Initializers = graph.Initializers,
        };
        using var session = OnnxRun.Open(new OnnxTemplate(model, "test").ToBytes(null));
        using var input = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["ids"], [input], ["y"]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    // A decoder that has a matrix [N, K] of its own accord: the gate of its feed-forward network.
    private static WeightSet WithGate(float[] w, int k, int n)
    {
        var a = TinyModels.Qwen3 with { HiddenSize = k, IntermediateSize = n, Layers = 1 };
        var values = ParameterMap.For(a).ToDictionary(parameter => parameter.Name, parameter => new float[parameter.Count]);
        float[] gate = values[ParameterMap.Layer(0, "mlp.gate_proj.weight")];
        for (int row = 0; row < n; row++)
            for (int i = 0; i < k; i++) gate[(row * k) + i] = w[(i * n) + row];
        return new(a, values);
    }

    private static bool IsOurs(JsonElement entry) =>
        entry.GetProperty("algorithm").GetString() == "default" && entry.GetProperty("symmetric").GetBoolean()
            && entry.TryGetProperty("B", out _);

    // The bytes that an embedding shares with its head, and no zero points.
    private static bool IsTied(JsonElement entry) => entry.GetProperty("name").GetString()!.StartsWith("tied.", StringComparison.Ordinal)
        && entry.GetProperty("inputs").EnumerateArray().All(input => input.GetProperty("role").GetString() != "zero_points");

    private static int BlockOf(JsonElement entry) => entry.GetProperty("block_size_written").GetInt32();
}
