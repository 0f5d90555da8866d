using System.Buffers.Binary;

namespace Distill.Pipeline.Tracking;

/// <summary>
/// The file that <c>wandb sync</c> reads: seven bytes of heading, then records in the framing of LevelDB's logs (blocks of 32 KiB, of which
/// the heading is a part; github.com/google/leveldb, doc/log_format.md), with one difference: the checksum is CRC-32 as in zip files, over
/// kind and data. What is written is in the file at once. One thread; dispose it.
/// </summary>
internal sealed class WandbLog : IDisposable
{
    private const int BlockBytes = 32 << 10, HeadBytes = 7;

    private const byte Whole = 1, First = 2, Middle = 3, Last = 4;

    private static readonly byte[] Padding = new byte[HeadBytes - 1];

    private static readonly uint[] Table = MakeTable();

    private readonly FileStream stream;
    private long position;

    /// <exception cref="IOException">There is such a file already, or it cannot be written.</exception>
    public WandbLog(string path)
    {
        stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        Append(":W&B"u8);
        Append([0xE1, 0xBE, 0]); // magic number and version
    }

    public void Add(ReadOnlySpan<byte> record)
    {
        bool isFirst = true;
        while (true)
        {
            int room = BlockBytes - (int)(position % BlockBytes);
            if (room < HeadBytes)
            {
                Append(Padding.AsSpan(0, room));
                continue;
            }

            int length = Math.Min(record.Length, room - HeadBytes);
            bool isLast = length == record.Length;
            Frame(isFirst ? isLast ? Whole : First : isLast ? Last : Middle, record[..length]);
            if (isLast) break;
            record = record[length..];
            isFirst = false;
        }

        stream.Flush();
    }

    public void Dispose() => stream.Dispose();

    private void Frame(byte kind, ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Checksum(kind, data));
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], (ushort)data.Length);
        head[6] = kind;
        Append(head);
        Append(data);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        position += bytes.Length;
    }

    private static uint Checksum(byte kind, ReadOnlySpan<byte> data)
    {
        uint sum = Next(uint.MaxValue, kind);
        foreach (byte value in data) sum = Next(sum, value);
        return ~sum;
    }

    private static uint Next(uint sum, byte value) => Table[(byte)(sum ^ value)] ^ (sum >> 8);

    private static uint[] MakeTable()
    {
        const uint Polynomial = 0xEDB88320;
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++) value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ Polynomial;
            table[i] = value;
        }

        return table;
    }
}
