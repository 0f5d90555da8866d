using System.Text;
using Distill.Storage;

namespace Distill.Generation.Onnx;

/// <summary>Forward-only reader of protobuf fields that skips by seeking, so walking a graph never loads its weights.</summary>
internal sealed class ProtobufReader(Stream stream, string name)
{
    private const int LongestText = 1 << 16;

    private long limit = stream.Length;
    private int wire;

    public string Name => name;

    public long Length => stream.Length;

    public long Position => stream.Position;

    /// <summary>Where the current field's tag begins.</summary>
    public long Start { get; private set; }

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Moves to the next field of the message that ends at <paramref name="end"/>; false at its end.</summary>
    public bool Next(long end)
    {
        limit = end;
        if (stream.Position == end) return false;
        Start = stream.Position;
        ulong tag = Varint();
        (Field, wire) = ((int)(tag >> 3), (int)(tag & 7));
        if (tag >> 3 is 0 or > 0x1FFFFFFF) throw Fault("is not an ONNX model (bad field number)");
        return true;
    }

    /// <summary>Enters the current field as a message and gives the position where it ends.</summary>
    public long Enter()
    {
        if (wire != 2) throw Fault($"is not an ONNX model (field {Field} should be a message)");
        long size = Size(); // moves the position: read it first
        return stream.Position + size;
    }

    public string Text()
    {
        if (wire != 2) throw Fault($"is not an ONNX model (field {Field} should be a text)");
        int size = (int)Math.Min(Size(), LongestText + 1);
        if (size > LongestText) throw Fault($"has a text longer than {LongestText} bytes");
        byte[] bytes = new byte[size];
        stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Value of the current field, an enumeration or a number; what does not fit reads as −1.</summary>
    public int Number()
    {
        if (wire != 0) throw Fault($"is not an ONNX model (field {Field} should be a number)");
        ulong value = Varint();
        return value <= int.MaxValue ? (int)value : -1;
    }

    /// <summary>Values of a repeated field of numbers, packed or one by one.</summary>
    public void Numbers(Action<long> take)
    {
        if (wire == 0)
        {
            take((long)Varint());
            return;
        }

        long end = Enter();
        for (limit = end; stream.Position < end;) take((long)Varint());
    }

    public void Skip()
    {
        long size = wire switch
        {
            0 => SkipVarint(), 1 => 8, 2 => Size(), 5 => 4, _ => throw Fault("is not an ONNX model (bad wire type)"),
        };
        if (size > limit - stream.Position) throw Fault("is cut short");
        if (size > 0) stream.Seek(size, SeekOrigin.Current);
    }

    public InvalidDataException Fault(string reason) => new(Printable.Of($"{name} {reason}."));

    private long SkipVarint()
    {
        Varint();
        return 0;
    }

    private long Size()
    {
        ulong size = Varint();
        return size <= (ulong)(limit - stream.Position) ? (long)size : throw Fault("is cut short");
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int next = stream.Position < limit ? stream.ReadByte() : -1;
            if (next < 0) throw Fault("is cut short");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw Fault("is not an ONNX model (endless number)");
    }
}
