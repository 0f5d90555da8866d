using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Distill.Generation;

namespace Distill.Teacher;

/// <summary>
/// One completion as bytes, little-endian: mark (8), length of all (4), its complement (4), key (32), seed (8), stop reason (4), tokens n
/// (4), alternatives k (4), ids [n], log-probabilities [n], alternatives' ids [n × k] and log-probabilities [n × k], checksum (16). The
/// mark lets a reader find the next record after a damaged one; the checksum, of SHA-256, covers all before it.
/// </summary>
internal static class CompletionRecord
{
    public const int HeaderBytes = 16;

    private const int FactsBytes = CompletionKey.Bytes + 20, ChecksumBytes = 16, FixedBytes = HeaderBytes + FactsBytes + ChecksumBytes;

    private const int Longest = 1 << 30;

    public static ReadOnlySpan<byte> Mark => [0x91, (byte)'c', (byte)'m', (byte)'p', (byte)'l', (byte)'1', (byte)'\r', (byte)'\n'];

    /// <summary>Length of a completion's record; null for one too long to be kept (over 1 GiB).</summary>
    public static int? LengthOf(Completion completion)
    {
        long values = 2L * completion.Tokens.Count * (1 + (completion.Top?.Count ?? 0));
        return FixedBytes + (values * sizeof(int)) is <= Longest and var length ? (int)length : null;
    }

    /// <param name="record">[<see cref="LengthOf"/>]</param>
    public static void Write(Span<byte> record, CompletionKey key, Completion completion)
    {
        Mark.CopyTo(record);
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], record.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record[12..], ~record.Length);
        Span<byte> facts = record[HeaderBytes..];
        key.Write(facts);
        BinaryPrimitives.WriteUInt64LittleEndian(facts[32..], completion.Seed);
        BinaryPrimitives.WriteInt32LittleEndian(facts[40..], (int)completion.StopReason);
        BinaryPrimitives.WriteInt32LittleEndian(facts[44..], completion.Tokens.Count);
        BinaryPrimitives.WriteInt32LittleEndian(facts[48..], completion.Top?.Count ?? 0);
        Span<byte> rest = facts[FactsBytes..];
        rest = Put(rest, completion.Tokens);
        rest = Put(rest, completion.LogProbabilities);
        rest = Put(rest, completion.Top?.Ids ?? []);
        rest = Put(rest, completion.Top?.LogProbabilities ?? []);
        Checksum(record, rest);
    }

    /// <summary>Length that a record's header gives; null when it is no header.</summary>
    public static int? LengthIn(ReadOnlySpan<byte> header)
    {
        if (header.Length < HeaderBytes || !header.StartsWith(Mark)) return null;
        int length = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        return length is >= FixedBytes and <= Longest && BinaryPrimitives.ReadInt32LittleEndian(header[12..]) == ~length ? length : null;
    }

    /// <summary>The key of a whole and right record; null for anything else.</summary>
    public static CompletionKey? KeyOf(ReadOnlySpan<byte> record)
    {
        if (LengthIn(record) != record.Length) return null;
        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        Checksum(record, checksum);
        if (!record[^ChecksumBytes..].SequenceEqual(checksum)) return null;
        ReadOnlySpan<byte> facts = record[HeaderBytes..];
        long tokens = BinaryPrimitives.ReadInt32LittleEndian(facts[44..]),
            alternatives = BinaryPrimitives.ReadInt32LittleEndian(facts[48..]);
        bool right = tokens >= 0 && alternatives >= 0 && record.Length == FixedBytes + (2 * sizeof(int) * tokens * (1 + alternatives))
            && Enum.IsDefined((StopReason)BinaryPrimitives.ReadInt32LittleEndian(facts[40..]));
        return right ? CompletionKey.Read(facts) : null;
    }

    /// <summary>
    /// What a record whose key was read holds: tokens, log-probabilities and alternatives of the raw distribution, which is what traces
    /// keep; nothing of the distribution that was drawn from.
    /// </summary>
    public static Completion Read(ReadOnlySpan<byte> record)
    {
        ReadOnlySpan<byte> facts = record[HeaderBytes..];
        int tokens = BinaryPrimitives.ReadInt32LittleEndian(facts[44..]),
            alternatives = BinaryPrimitives.ReadInt32LittleEndian(facts[48..]);
        ReadOnlySpan<byte> rest = facts[FactsBytes..];
        int[] ids = Take<int>(ref rest, tokens);
        float[] logProbabilities = Take<float>(ref rest, tokens);
        return new Completion(ids, logProbabilities, (StopReason)BinaryPrimitives.ReadInt32LittleEndian(facts[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(facts[32..]))
        {
            Top = alternatives == 0 ? null : new TopLogProbabilities(
                alternatives, Take<int>(ref rest, tokens * alternatives), Take<float>(ref rest, tokens * alternatives), []),
        };
    }

    private static Span<byte> Put<T>(Span<byte> bytes, IReadOnlyList<T> values) where T : unmanaged
    {
        Span<T> target = MemoryMarshal.Cast<byte, T>(bytes)[..values.Count];
        if (values is T[] array) array.CopyTo(target);
        else for (int i = 0; i < values.Count; i++) target[i] = values[i];
        return bytes[(values.Count * sizeof(int))..];
    }

    private static T[] Take<T>(ref ReadOnlySpan<byte> bytes, int count) where T : unmanaged
    {
        T[] values = MemoryMarshal.Cast<byte, T>(bytes)[..count].ToArray();
        bytes = bytes[(count * sizeof(int))..];
        return values;
    }

    /// <param name="target">[16]</param>
    private static void Checksum(ReadOnlySpan<byte> record, Span<byte> target)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(record[..^ChecksumBytes], digest);
        digest[..ChecksumBytes].CopyTo(target);
    }
}
