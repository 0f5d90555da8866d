using System.Buffers.Binary;
using System.Text;

namespace Distill.Student.Tests.Checkpoints;

/// <summary>Hand-made safetensors files.</summary>
internal static class SafeTensorsBytes
{
    public static byte[] Of(string header, int dataBytes, ulong? statedLength = null) =>
        Of(Encoding.UTF8.GetBytes(header), dataBytes, statedLength);

    public static byte[] Of(byte[] header, int dataBytes, ulong? statedLength = null)
    {
        byte[] file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, statedLength ?? (ulong)header.Length);
        header.CopyTo(file, 8);
        for (int i = 0; i < dataBytes; i++) file[8 + header.Length + i] = (byte)(i * 37);
        return file;
    }
}
