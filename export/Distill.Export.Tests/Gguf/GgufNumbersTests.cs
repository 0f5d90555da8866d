using System.Diagnostics;
using System.Runtime.InteropServices;
using Distill.Export.Gguf;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Gguf;

/// <summary>Numbers as ggml rounds them, byte for byte.</summary>
public sealed unsafe class GgufNumbersTests
{
    private const int Rows = 64, Columns = 96;

    public static TheoryData<int> Types => [.. Enum.GetValues<GgufType>().Select(type => (int)type)];

    [Theory, MemberData(nameof(Types))]
    public void Rows_are_rounded_as_ggml_rounds_them(int type)
    {
        float[] values = Samples();
        byte[] expected = new byte[Rows * ((GgufType)type).RowBytes(Columns)], actual = new byte[expected.Length];
        fixed (float* source = values)
        fixed (byte* target = expected)
            Quantize()(type, source, target, 0, Rows, Columns, null).ShouldBe((nuint)expected.Length);
        GgufNumbers.Write(values, actual, (GgufType)type);
        actual.ShouldBe(expected);
    }

    [Theory, MemberData(nameof(Types))]
    public void What_is_read_is_near_what_was_written_and_is_kept_when_written_again(int type)
    {
        float[] values = Samples();
        byte[] bytes = new byte[Rows * ((GgufType)type).RowBytes(Columns)], again = new byte[bytes.Length];
        GgufNumbers.Write(values, bytes, (GgufType)type);
        float[] read = GgufNumbers.Read(bytes, (GgufType)type, values.Length);
        // Half a step of the coarsest: 4 bits over the span of a block, or a little more at the end that has no code.
        double allowed = (GgufType)type switch { GgufType.Single => 0, GgufType.Block4 => 0.13, _ => 0.01 };
        const float least = 1e-5f; // below it scales are coarse: the smallest fp16 is 6e-8, and a code is up to 127 of them
        for (int block = 0; block < values.Length; block += GgufTypes.BlockLength)
        {
            double largest = values.AsSpan(block, GgufTypes.BlockLength).ToArray().Max(Math.Abs);
            for (int i = block; i < block + GgufTypes.BlockLength; i++)
                ((double)Math.Abs(read[i] - values[i])).ShouldBeLessThanOrEqualTo((allowed * largest) + least, $"{values[i]}");
        }

        if ((GgufType)type is GgufType.Block4 or GgufType.Block8) return; // the scale of rounded numbers is another
        GgufNumbers.Write(read, again, (GgufType)type);
        again.ShouldBe(bytes);
    }

    [Fact]
    public void Numbers_that_a_type_cannot_hold_are_refused()
    {
        foreach (var type in Enum.GetValues<GgufType>())
        {
            foreach (float wrong in (float[])[float.NaN, float.PositiveInfinity])
                Should.Throw<InvalidDataException>(() => GgufNumbers.Write(Row(wrong), new byte[128], type))
                    .Message.ShouldContain("no number");
        }

        Should.Throw<InvalidDataException>(() => GgufNumbers.Write(Row(70_000), new byte[64], GgufType.Half))
            .Message.ShouldContain("too large");
        GgufNumbers.Write(Row(70_000), new byte[34], GgufType.Block8); // its scale is 127 times smaller
        GgufNumbers.Write(Row(70_000), new byte[64], GgufType.BFloat16);
    }

    private static float[] Row(float first) => [first, .. new float[31]];

    // Of many sizes; with blocks of zeros, of one sign, with two equal extremes and with halves between codes.
    private static float[] Samples()
    {
        var random = new Random(3);
        float[] values = new float[Rows * Columns];
        for (int i = 0; i < values.Length; i++)
            values[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(10, (i / GgufTypes.BlockLength % 8) - 5));
        values.AsSpan(0, 32).Clear();
        for (int i = 32; i < 64; i++) values[i] = MathF.Abs(values[i]) + 0.5f;
        for (int i = 64; i < 96; i++) values[i] = (i - 80) / 2f;
        (values[96], values[97]) = (2, -2);
        (values[128], values[129]) = (-2, 2);
        for (int i = 160; i < 192; i++) values[i] = (i - 176) * 127 / 32f;
        return values;
    }

    private static delegate* unmanaged[Cdecl]<int, float*, void*, long, long, long, float*, nuint> Quantize()
    {
        LlamaModel.Require();
        string library = Process.GetCurrentProcess().Modules.Cast<ProcessModule>()
            .Select(module => module.FileName).First(name => Path.GetFileName(name).Contains("ggml-base", StringComparison.Ordinal));
        return (delegate* unmanaged[Cdecl]<int, float*, void*, long, long, long, float*, nuint>)
            NativeLibrary.GetExport(NativeLibrary.Load(library), "ggml_quantize_chunk");
    }
}
