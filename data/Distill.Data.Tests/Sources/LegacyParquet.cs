using System.Text;

namespace Distill.Data.Tests.Sources;

/// <summary>
/// A Parquet file by hand, byte by byte, in a shape that no current library writes: a repeated leaf at the top, which early writers used
/// for lists (parquet-format, LogicalTypes.md, "Backward-compatibility rules").
/// </summary>
internal static class LegacyParquet
{
    private const byte I32 = 5, I64 = 6, Binary = 8, ListType = 9, Struct = 12;

    /// <summary>One column of repeated UTF-8 texts, one page, no compression, no dictionary.</summary>
    public static byte[] RepeatedText(string name, string[][] rows)
    {
        int values = rows.Sum(row => Math.Max(1, row.Length));
        byte[] page = Page(rows);
        byte[] header = Compact(writer =>
        {
            writer.I32Field(1, 0); // data page
            writer.I32Field(2, page.Length);
            writer.I32Field(3, page.Length);
            writer.StructField(5, data =>
            {
                data.I32Field(1, values);
                data.I32Field(2, 0); // plain
                data.I32Field(3, 3); // levels: run lengths
                data.I32Field(4, 3);
            });
        });
        var file = new List<byte>("PAR1"u8.ToArray());
        int offset = file.Count;
        file.AddRange(header);
        file.AddRange(page);
        byte[] footer = Footer(name, rows.Length, values, offset, header.Length + page.Length);
        file.AddRange(footer);
        file.AddRange(BitConverter.GetBytes(footer.Length));
        file.AddRange("PAR1"u8.ToArray());
        return [.. file];
    }

    private static byte[] Footer(string name, int rows, int values, int offset, int size) => Compact(meta =>
    {
        meta.I32Field(1, 1);
        meta.ListOfStructs(2, root =>
        {
            root.TextField(4, "schema");
            root.I32Field(5, 1);
        }, leaf =>
        {
            leaf.I32Field(1, 6); // byte array
            leaf.I32Field(3, 2); // repeated
            leaf.TextField(4, name);
            leaf.I32Field(6, 0); // UTF8
        });
        meta.I64Field(3, rows);
        meta.ListOfStructs(4, group =>
        {
            group.ListOfStructs(1, chunk =>
            {
                chunk.I64Field(2, offset);
                chunk.StructField(3, column =>
                {
                    column.I32Field(1, 6);
                    column.ListOfI32(2, 0, 3);
                    column.ListOfTexts(3, name);
                    column.I32Field(4, 0);
                    column.I64Field(5, values);
                    column.I64Field(6, size);
                    column.I64Field(7, size);
                    column.I64Field(9, offset);
                });
            });
            group.I64Field(2, size);
            group.I64Field(3, rows);
        });
    });

    // Repetition levels, definition levels, then the texts: each level as a run of one value.
    private static byte[] Page(string[][] rows)
    {
        var repetition = new List<byte>();
        var definition = new List<byte>();
        var texts = new List<byte>();
        foreach (string[] row in rows)
        {
            for (int i = 0; i < Math.Max(1, row.Length); i++)
            {
                repetition.AddRange([1 << 1, (byte)(i == 0 ? 0 : 1)]);
                definition.AddRange([1 << 1, (byte)(row.Length == 0 ? 0 : 1)]);
            }

            foreach (string text in row)
            {
                byte[] bytes = Encoding.UTF8.GetBytes(text);
                texts.AddRange(BitConverter.GetBytes(bytes.Length));
                texts.AddRange(bytes);
            }
        }

        return [.. BitConverter.GetBytes(repetition.Count), .. repetition,
            .. BitConverter.GetBytes(definition.Count), .. definition, .. texts];
    }

    private static byte[] Compact(Action<CompactWriter> write)
    {
        var writer = new CompactWriter();
        write(writer);
        writer.Stop();
        return [.. writer.Bytes];
    }

    /// <summary>Thrift's compact protocol, as much as a footer needs.</summary>
    private sealed class CompactWriter
    {
        private short last;

        public List<byte> Bytes { get; } = [];

        public void Stop() => Bytes.Add(0);

        public void I32Field(short id, int value) => Number(id, I32, value);

        public void I64Field(short id, long value) => Number(id, I64, value);

        public void TextField(short id, string text)
        {
            Field(id, Binary);
            Text(text);
        }

        public void StructField(short id, Action<CompactWriter> write)
        {
            Field(id, Struct);
            Bytes.AddRange(Compact(write));
        }

        public void ListOfStructs(short id, params Action<CompactWriter>[] items)
        {
            Field(id, ListType);
            Bytes.Add((byte)((items.Length << 4) | Struct));
            foreach (var item in items) Bytes.AddRange(Compact(item));
        }

        public void ListOfI32(short id, params int[] items)
        {
            Field(id, ListType);
            Bytes.Add((byte)((items.Length << 4) | I32));
            foreach (int item in items) VarInt(ZigZag(item));
        }

        public void ListOfTexts(short id, params string[] items)
        {
            Field(id, ListType);
            Bytes.Add((byte)((items.Length << 4) | Binary));
            foreach (string item in items) Text(item);
        }

        private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

        private void Number(short id, byte type, long value)
        {
            Field(id, type);
            VarInt(ZigZag(value));
        }

        private void Field(short id, byte type)
        {
            Bytes.Add((byte)(((id - last) << 4) | type));
            last = id;
        }

        private void Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            VarInt((ulong)bytes.Length);
            Bytes.AddRange(bytes);
        }

        private void VarInt(ulong value)
        {
            for (; value >= 0x80; value >>= 7) Bytes.Add((byte)(value | 0x80));
            Bytes.Add((byte)value);
        }
    }
}
