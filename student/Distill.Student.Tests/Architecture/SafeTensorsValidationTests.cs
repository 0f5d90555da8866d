using System.Text;
using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

public sealed class SafeTensorsValidationTests
{
    private const string Good =
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}""";

    public static TheoryData<string, string, int, string> BadHeaders => new()
    {
        { "array", "[]", 0, "does not start with '{'" },
        { "space before", " {}", 0, "does not start with '{'" },
        { "empty", "", 0, "does not start with '{'" },
        { "unfinished", "{", 0, "JSON" },
        { "unfinished entry", """{"a":{"dtype":"F32",""", 0, "JSON" },
        { "trailing comma", """{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},}""", 4, "JSON" },
        { "comment", "{/* */}", 0, "JSON" },
        { "two objects", "{}{}", 0, "JSON" },
        { "duplicate name", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
        2, "occurs twice" },
        { "duplicate by escape",
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2,
        "occurs twice" },
        { "duplicate metadata", """{"__metadata__":{"k":"1","k":"2"}}""", 0, "occurs twice" },
        { "metadata twice", """{"__metadata__":{},"__metadata__":{}}""", 0, "occurs twice" },
        { "metadata number", """{"__metadata__":{"k":1}}""", 0, "a string for metadata" },
        { "metadata array", """{"__metadata__":[]}""", 0, "an object for __metadata__" },
        { "unknown dtype", """{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown dtype 'F33'" },
        { "dtype lower case", """{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown dtype" },
        { "dtype number", """{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}""", 4, "a string for the dtype" },
        { "no dtype", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "needs dtype" },
        { "no shape", """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "needs dtype" },
        { "no offsets", """{"a":{"dtype":"F32","shape":[1]}}""", 4, "needs dtype" },
        { "one offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}""", 4, "two data_offsets" },
        { "three offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "two data_offsets" },
        { "repeated shape", """{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", 4, "repeated or unknown" },
        { "surplus property", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "repeated or unknown" },
        { "entry is a number", """{"a":1}""", 0, "an object for tensor" },
        { "negative size", """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "whole number" },
        { "fraction", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "whole number" },
        { "size as text", """{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4, "whole number" },
        { "nested shape", """{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4, "whole number" },
        { "size beyond 64 bits", """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "whole number" },
        { "overflowing product", """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "overflows" },
        { "product wraps to the size", """{"a":{"dtype":"U8","shape":[9223372036854775807,2,2],"data_offsets":[0,4]}}""", 4, "overflows" },
        { "negative offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "whole number" },
        { "end before begin", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "ends before it begins" },
        { "span too short", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "needs 8 bytes" },
        { "span too long", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", 8, "needs 4 bytes" },
        { "hole at the start", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "a hole or an overlap" },
        { "hole between", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""",
        3, "a hole or an overlap" },
        { "overlap", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3,
        "a hole or an overlap" },
        { "same bytes twice",
        """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2,
        "a hole or an overlap" },
        { "data after the end", Good, 12, "holds 12" },
        { "data too short", Good, 10, "holds 10" },
        { "rank 17", """{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}""", 1, "more than 16" },
        { "deep", """{"a":{"shape":[[[[[[[[]]]]]]]]}}""", 0, "sound safetensors" },
        { "lone surrogate", """{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "sound safetensors" },
    };

    [Theory, MemberData(nameof(BadHeaders))]
    public void A_bad_header_is_refused_with_file_and_reason(string what, string header, int dataBytes, string reason)
    {
        var error = Should.Throw<InvalidDataException>(() => Open(SafeTensorsBytes.Of(header, dataBytes)), what);
        error.Message.ShouldContain("'x.safetensors'");
        error.Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_file_shorter_than_its_length_field_is_refused(int bytes) =>
        Should.Throw<InvalidDataException>(() => Open(new byte[bytes])).Message.ShouldContain("fewer than the 8");

    [Theory]
    [InlineData(ulong.MaxValue, "exceeds")]
    [InlineData(ulong.MaxValue - 7, "exceeds")]
    [InlineData((ulong)long.MaxValue, "exceeds")]
    [InlineData(100_000_001UL, "exceeds")]
    [InlineData(100_000_000UL, "longer than the file")]
    [InlineData(200UL, "longer than the file")]
    public void A_header_length_beyond_the_file_or_the_limit_is_refused(ulong stated, string reason) =>
        Should.Throw<InvalidDataException>(() => Open(SafeTensorsBytes.Of(Good, 11, stated))).Message.ShouldContain(reason);

    [Fact]
    public void Invalid_utf8_is_refused()
    {
        byte[] header = Encoding.UTF8.GetBytes(Good);
        header[2] = 0xFF;
        Should.Throw<InvalidDataException>(() => Open(SafeTensorsBytes.Of(header, 11))).Message.ShouldContain("UTF-8");
    }

    [Fact]
    public void The_unbroken_header_of_these_tests_is_accepted()
    {
        using var file = Open(SafeTensorsBytes.Of(Good + "   ", 11));
        file.Entries.Select(entry => entry.Name).ShouldBe(["a", "b"]);
        file.ReadBytes("b").ShouldBe([8 * 37 & 255, 9 * 37 & 255, 10 * 37 & 255]);
    }

    [Fact]
    public void Scalars_and_empty_tensors_are_accepted()
    {
        using var file = Open(SafeTensorsBytes.Of(
            """{"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"F32","shape":[0,5],"data_offsets":[8,8]}}""", 8));
        file.Entry("s").Count.ShouldBe(1);
        file.ReadSingles("e").ShouldBeEmpty();
    }

    private static SafeTensorsFile Open(byte[] bytes) => SafeTensorsFile.Open(new MemoryStream(bytes, writable: false), "x.safetensors");
}
