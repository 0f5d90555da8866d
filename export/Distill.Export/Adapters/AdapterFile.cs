using System.Buffers.Binary;
using System.Text;
using Distill.Export.Formats;
using Distill.Export.Onnx;
using Distill.Storage;

namespace Distill.Export.Adapters;

/// <summary>A tensor of an adapter file.</summary>
/// <param name="Values">Made when the file is written.</param>
internal sealed record AdapterTensor(string Name, OnnxElementType Type, IReadOnlyList<long> Shape, Func<float[]> Values)
{
    public long ByteCount => Shape.Aggregate((long)(Type == OnnxElementType.Float ? 4 : 2), (product, size) => checked(product * size));
}

/// <summary>
/// ONNX Runtime's adapter file (<c>.onnx_adapter</c>): a FlatBuffer of the schema onnxruntime/lora/adapter_format/adapter_schema.fbs.
/// Written front to back, which the format allows: root, tables, then texts, dimensions and data, every offset pointing forwards but
/// those to the two vtables at the start.
/// </summary>
internal static class AdapterFile
{
    public const string Extension = ".onnx_adapter";

    private const int FormatVersion = 1, LongAlignment = 8;
    private const int AdapterVtable = 8, ParameterVtable = 20, AdapterTable = 32, ParameterTableBytes = 20;
    private const long MaxBytes = int.MaxValue; // of a FlatBuffer

    /// <exception cref="InvalidDataException">It would be larger than the format allows.</exception>
    public static void Write(string path, IReadOnlyList<AdapterTensor> tensors)
    {
        var layout = Layout.Of(tensors);
        if (layout.Bytes > MaxBytes)
            throw new InvalidDataException($"An adapter of {layout.Bytes:N0} bytes does not fit into a file of ONNX Runtime (2 GiB).");
        DiskSpace.Require(Path.GetDirectoryName(Path.GetFullPath(path))!, layout.Bytes);
        ReplacedFile.Write(Path.GetFullPath(path), stream =>
        {
            stream.Write(layout.Head);
            for (int i = 0; i < tensors.Count; i++)
            {
                Pad(stream, layout.DataStarts[i] - sizeof(uint));
                WriteUInt32(stream, (uint)tensors[i].ByteCount);
                byte[] bytes = new byte[tensors[i].ByteCount];
                StoredNumbers.Write(tensors[i].Values(), bytes, tensors[i].Type);
                stream.Write(bytes);
            }
        });
    }

    private static void Pad(Stream stream, long position)
    {
        while (stream.Position < position) stream.WriteByte(0);
    }

    private static void WriteUInt32(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    /// <summary>Everything before the data, and where each tensor's data begin.</summary>
    private sealed record Layout(byte[] Head, long[] DataStarts, long Bytes)
    {
        public static Layout Of(IReadOnlyList<AdapterTensor> tensors)
        {
            int vector = AdapterTable + 20, tables = vector + 4 + (4 * tensors.Count);
            int[] names = new int[tensors.Count], shapes = new int[tensors.Count];
            int at = tables + (ParameterTableBytes * tensors.Count);
            for (int i = 0; i < tensors.Count; i++)
            {
                names[i] = at;
                at = Aligned(at + 4 + Encoding.UTF8.GetByteCount(tensors[i].Name) + 1 + 4, LongAlignment) - 4;
                shapes[i] = at; // the length; the numbers behind it are aligned
                at += 4 + (8 * tensors[i].Shape.Count);
            }

            byte[] head = new byte[at];
            long[] data = new long[tensors.Count];
            long end = at;
            for (int i = 0; i < tensors.Count; i++)
            {
                data[i] = (end + 4 + LongAlignment - 1) / LongAlignment * LongAlignment;
                end = data[i] + tensors[i].ByteCount;
            }

            Root(head, tensors.Count, vector);
            for (int i = 0; i < tensors.Count; i++)
            {
                int table = tables + (ParameterTableBytes * i);
                Offset(head, vector + 4 + (4 * i), table);
                Parameter(head, table, tensors[i], names[i], shapes[i], data[i] - 4);
            }

            return new(head, data, end);
        }

        // root offset, identifier, the vtables of both kinds of table, and the adapter itself
        private static void Root(byte[] head, int count, int vector)
        {
            Offset(head, 0, AdapterTable);
            "TORT"u8.CopyTo(head.AsSpan(4));
            Vtable(head, AdapterVtable, tableBytes: 20, 4, 8, 12, 16);
            Vtable(head, ParameterVtable, ParameterTableBytes, 4, 8, 12, 16);
            Int32(head, AdapterTable, AdapterTable - AdapterVtable);
            Int32(head, AdapterTable + 4, FormatVersion);
            Int32(head, AdapterTable + 8, 1); // of the adapter
            Int32(head, AdapterTable + 12, 1); // of the model
            Offset(head, AdapterTable + 16, vector);
            Int32(head, vector, count);
        }

        private static void Parameter(byte[] head, int table, AdapterTensor tensor, int name, int shape, long data)
        {
            Int32(head, table, table - ParameterVtable);
            Offset(head, table + 4, name);
            Offset(head, table + 8, shape);
            Int32(head, table + 12, (int)tensor.Type); // the numbers of ONNX's types
            Int32(head, table + 16, checked((int)(data - (table + 16))));
            Int32(head, name, Encoding.UTF8.GetBytes(tensor.Name, head.AsSpan(name + 4)));
            Int32(head, shape, tensor.Shape.Count);
            for (int i = 0; i < tensor.Shape.Count; i++)
                BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(shape + 4 + (8 * i)), tensor.Shape[i]);
        }

        private static void Vtable(byte[] head, int at, int tableBytes, params ReadOnlySpan<ushort> fields)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(at), (ushort)(4 + (2 * fields.Length)));
            BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(at + 2), (ushort)tableBytes);
            for (int i = 0; i < fields.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(at + 4 + (2 * i)), fields[i]);
        }

        private static void Offset(byte[] head, int at, int target) => Int32(head, at, target - at);

        private static void Int32(byte[] head, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(at), value);

        private static int Aligned(int position, int alignment) => (position + alignment - 1) / alignment * alignment;
    }
}
