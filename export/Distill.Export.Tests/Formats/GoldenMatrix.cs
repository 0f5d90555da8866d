using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Formats;

namespace Distill.Export.Tests.Formats;

/// <summary>One case of a file of golden quantizations: its entry, and the tensors beside it. Dispose it.</summary>
internal sealed class GoldenMatrix : IDisposable
{
    private readonly string name;
    private readonly float[] scales;
    private readonly byte[] codes;

    /// <param name="row">The name of a case, as the rows of a theory have it.</param>
    public GoldenMatrix(string file, string row)
    {
        (string path, Entry) = FixtureCases.Require(row, "quantization", file + ".json");
        name = Entry.GetProperty("name").GetString()!;
        Tensors = SafeTensorsFile.Open(Path.ChangeExtension(path, ".safetensors"));
        scales = Tensors.ReadSingles(name + ".scales");
        codes = Tensors.ReadBytes(name + (Tensors.Contains(name + ".B") ? ".B" : ".data"));
    }

    public JsonElement Entry { get; }

    public SafeTensorsFile Tensors { get; }

    /// <summary>Null where the case has no such tensor.</summary>
    public float[]? Singles(string part) => Tensors.Contains($"{name}.{part}") ? Tensors.ReadSingles($"{name}.{part}") : null;

    /// <summary>Compares scales and codes of one row, padding left out.</summary>
    /// <returns>False when a block's +max and −max tie and the reference chose the other sign, which is as right.</returns>
    public bool CompareRow(BlockQuantizer quantizer, float[] values, int row)
    {
        int blocks = quantizer.Layout.BlocksOf(values.Length);
        float[] actualScales = new float[blocks];
        byte[] actualCodes = new byte[blocks * quantizer.Layout.BlockBytes];
        quantizer.Scales(values, actualScales);
        quantizer.Codes(values, actualCodes);
        var expectedCodes = codes.AsSpan(row * actualCodes.Length, actualCodes.Length);
        bool sameSigns = true;
        for (int block = 0; block < blocks; block++)
        {
            int from = block * quantizer.Layout.BlockSize, to = Math.Min(values.Length, from + quantizer.Layout.BlockSize);
            float expected = scales[(row * blocks) + block];
            bool tied = values[from..to].Max() == -values[from..to].Min() && expected != 0;
            if (tied && expected == -actualScales[block])
            {
                sameSigns = false;
                continue;
            }

            actualScales[block].ShouldBe(expected, $"{name} row {row} block {block}");
            for (int i = from; i < to; i++)
                CodeAt(actualCodes, quantizer, i).ShouldBe(CodeAt(expectedCodes, quantizer, i), $"{name} row {row} column {i}");
        }

        return sameSigns;
    }

    public void Dispose() => Tensors.Dispose();

    private static int CodeAt(ReadOnlySpan<byte> row, BlockQuantizer quantizer, int index) =>
        quantizer.Layout.Bits == 8 ? row[index] : (row[index / 2] >> (4 * (index & 1))) & 15;
}
