using System.Runtime.InteropServices;
using CsCheck;
using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class SafeTensorsRoundTripTests
{
    [Fact]
    public void What_is_written_is_read_back() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, 12], Gen.Single.Array[0, 40]).List[0, 8]
            .Sample(pairs =>
            {
                var tensors = pairs.DistinctBy(pair => pair.Item1).ToList();
                using var file = Open(Write(tensors.Select(t => SafeTensor.Singles(t.Item1, [t.Item2.Length], t.Item2))));
                file.Entries.Count.ShouldBe(tensors.Count);
                foreach (var (name, values) in tensors)
                    MemoryMarshal.AsBytes<float>(file.ReadSingles(name)).SequenceEqual(MemoryMarshal.AsBytes<float>(values)).ShouldBeTrue();
            }, iter: 200);

    [Fact]
    public void Names_with_quotes_and_other_scripts_survive()
    {
        using var file = Open(Write([SafeTensor.Integers("weight \"é\" 重み\n", [2], new long[] { -1, long.MaxValue })]));
        file.ReadIntegers("weight \"é\" 重み\n").ShouldBe([-1, long.MaxValue]);
    }

    [Fact]
    public void The_same_tensors_give_the_same_bytes_whatever_the_order_of_metadata()
    {
        SafeTensor[] tensors = [SafeTensor.Singles("a", [2], new float[] { 1, 2 })];
        byte[] one = Write(tensors, new() { ["x"] = "1", ["b"] = "2" }), two = Write(tensors, new() { ["b"] = "2", ["x"] = "1" });
        one.ShouldBe(two);
    }

    [Fact]
    public void Data_start_on_a_multiple_of_eight()
    {
        for (int length = 1; length < 17; length++)
        {
            byte[] file = Write([SafeTensor.Singles(new string('n', length), [1], new float[] { 1 })]);
            BitConverter.ToInt64(file).ShouldBe(file.Length - 8 - 4);
            ((file.Length - 4) % 8).ShouldBe(0);
        }
    }

    [Fact]
    public void A_tensor_that_writes_too_little_is_a_fault() => Should.Throw<InvalidOperationException>(
        () => Write([SafeTensor.Singles("short", [3], new float[2])])).Message.ShouldContain("short");

    [Fact]
    public void Floating_types_widen_exactly()
    {
        Half[] halves = [(Half)1.5f, Half.MaxValue, Half.Epsilon, Half.NegativeInfinity];
        ushort[] brain = [0x3FC0, 0x7F7F, 0x0001, 0xFF80]; // 1.5, largest, smallest subnormal, −infinity
        using var file =
            Open(Write([Raw("h", SafeTensorType.Float16, halves), Raw("b", SafeTensorType.BFloat16, brain),
            Raw("d", SafeTensorType.Float64, new[] { 0.1, -2, 0, 1e30 })]));
        file.ReadSingles("h").ShouldBe([1.5f, 65504f, 5.9604645e-8f, float.NegativeInfinity]);
        file.ReadSingles("b").ShouldBe([1.5f, 3.3895314e38f, BitConverter.UInt32BitsToSingle(0x10000), float.NegativeInfinity]);
        file.ReadSingles("d").ShouldBe([0.1f, -2, 0, 1e30f]);
    }

    [Fact]
    public void Integer_types_widen_with_their_sign()
    {
        using var file = Open(Write(
        [
            Raw("i8", SafeTensorType.Int8, new sbyte[] { -128, 127 }),
            Raw("u8", SafeTensorType.UInt8, new byte[] { 0, 255 }),
            Raw("i16", SafeTensorType.Int16, new short[] { short.MinValue, 1 }),
            Raw("u32", SafeTensorType.UInt32, new[] { uint.MaxValue, 1u }),
            Raw("i32", SafeTensorType.Int32, new[] { int.MinValue, 1 }),
        ]));
        file.ReadIntegers("i8").ShouldBe([-128, 127]);
        file.ReadIntegers("u8").ShouldBe([0, 255]);
        file.ReadIntegers("i16").ShouldBe([-32768, 1]);
        file.ReadIntegers("u32").ShouldBe([4294967295, 1]);
        file.ReadIntegers("i32").ShouldBe([int.MinValue, 1]);
    }

    [Fact]
    public void A_tensor_of_the_wrong_kind_is_refused_by_name()
    {
        using var file =
            Open(Write([SafeTensor.Singles("f", [1], new float[1]), Raw("u", SafeTensorType.UInt64, new[] { ulong.MaxValue })]));
        Should.Throw<InvalidDataException>(() => file.ReadIntegers("f")).Message.ShouldContain("'f'");
        Should.Throw<InvalidDataException>(() => file.ReadIntegers("u")).Message.ShouldContain("'u'");
        Should.Throw<InvalidDataException>(() => file.ReadSingles("missing")).Message.ShouldContain("'missing'");
    }

    private static SafeTensor Raw<T>(string name, SafeTensorType type, T[] values) where T : unmanaged =>
        new(name, type, [values.Length], stream => stream.Write(MemoryMarshal.AsBytes<T>(values)));

    private static byte[] Write(IEnumerable<SafeTensor> tensors, Dictionary<string, string>? metadata = null)
    {
        using var stream = new MemoryStream();
        SafeTensorsWriter.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    private static SafeTensorsFile Open(byte[] bytes) => SafeTensorsFile.Open(new MemoryStream(bytes), "memory");
}
