using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Quantization;
using static TorchSharp.torch;

namespace Distill.Export.Tests.Quantization;

/// <summary>
/// GPTQ against its definition in fp64: groups of 32, symmetric int4, the scale that takes the signed extreme to code −8.
/// </summary>
public sealed class GptqGoldenTests
{
    private const int Group = 32;

    public static TheoryData<string> Cases =>
        FixtureCases.Rows(entry => Name(entry) is "rtn.8" or "gptq.8" or "gptq.8.order", "quantization", "gptq_awq.json");

    [Theory, MemberData(nameof(Cases))]
    public void Codes_and_scales_are_those_of_the_definition(string row)
    {
        var (path, entry) = FixtureCases.Require(row, "quantization", "gptq_awq.json");
        using var golden = SafeTensorsFile.Open(Path.ChangeExtension(path, ".safetensors"));
        double[] w = Doubles(golden, "w"), x = Doubles(golden, "x"), expected = Doubles(golden, Name(entry) + ".dequantised");
        int columns = x.Length / 256, rows = w.Length / columns;
        float[] actual = new float[w.Length];
        var matrix = Rounded(Name(entry), w, x, rows, columns);
        matrix.Dequantize(actual);
        long[] codes = golden.ReadIntegers(Name(entry) + ".q");
        var layout = matrix.Layout;
        for (int i = 0; i < codes.Length; i++)
        {
            var block = matrix.CodesOf(i / columns).Slice(i % columns / Group * layout.BlockBytes, layout.BlockBytes);
            (layout.At(block, i % Group) - layout.Middle).ShouldBe((int)codes[i], $"{Name(entry)} row {i / columns} column {i % columns}");
        }

        for (int i = 0; i < expected.Length; i++) ((double)actual[i]).ShouldBe(expected[i], 1e-5 * Math.Abs(expected[i]) + 1e-12);
        Error(w, actual, x, columns).ShouldBe(entry.GetProperty("relative_output_error").GetDouble(), 1e-6);
    }

    private static QuantizedMatrix Rounded(string name, double[] w, double[] x, int rows, int columns)
    {
        var layout = new BlockLayout(4, Group);
        if (name == "rtn.8") return QuantizedMatrix.Nearest([.. w.Select(value => (float)value)], layout, columns);
        using var scope = NewDisposeScope();
        var inputs = tensor(x, [x.Length / columns, columns]);
        var order = InverseFactor.Order(inputs.t().mm(inputs) * 2, falling: name.EndsWith("order", StringComparison.Ordinal));
        var matrix = new QuantizedMatrix(layout, rows, columns);
        new GptqRounding(order, layout, ScaleRule.Extreme).Round(w, matrix, threads: 2);
        return matrix;
    }

    // ‖X·(W − D)ᵀ‖² / ‖X·Wᵀ‖²
    private static double Error(double[] w, float[] rounded, double[] x, int columns)
    {
        using var scope = NewDisposeScope();
        Tensor inputs = tensor(x, [x.Length / columns, columns]), exact = tensor(w, [w.Length / columns, columns]);
        var difference = exact - tensor(rounded.Select(value => (double)value).ToArray(), exact.shape);
        double Power(Tensor weights) => inputs.mm(weights.t()).pow(2).sum().item<double>();
        return Power(difference) / Power(exact);
    }

    private static double[] Doubles(SafeTensorsFile file, string name) => MemoryMarshal.Cast<byte, double>(file.ReadBytes(name)).ToArray();

    private static string Name(System.Text.Json.JsonElement entry) => entry.GetProperty("name").GetString()!;
}
