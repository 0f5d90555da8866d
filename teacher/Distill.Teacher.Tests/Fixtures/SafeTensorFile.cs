using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>Just enough of safetensors to read golden values.</summary>
internal sealed class SafeTensorFile(string path)
{
    private readonly byte[] bytes = File.ReadAllBytes(path);

    private readonly Dictionary<string, JsonElement> header = ReadHeader(path);

    public bool Has(string name) => header.ContainsKey(name);

    public int[] Shape(string name) => [.. header[name].GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    public float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray();

    public long[] Longs(string name) => MemoryMarshal.Cast<byte, long>(Bytes(name)).ToArray();

    private ReadOnlySpan<byte> Bytes(string name)
    {
        int start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        JsonElement offsets = header[name].GetProperty("data_offsets");
        return bytes.AsSpan(start + offsets[0].GetInt32(), offsets[1].GetInt32() - offsets[0].GetInt32());
    }

    private static Dictionary<string, JsonElement> ReadHeader(string path)
    {
        byte[] all = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(all);
        return JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(all.AsSpan(8, length))!;
    }
}
