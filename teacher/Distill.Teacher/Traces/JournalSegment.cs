using Microsoft.Win32.SafeHandles;

namespace Distill.Teacher;

/// <summary>One file of a journal, read from its start to its end through a window of bounded size.</summary>
internal sealed class JournalSegment(SafeFileHandle file)
{
    private readonly long length = RandomAccess.GetLength(file);
    private byte[] window = new byte[1 << 20];
    private long windowStart;
    private int windowLength;

    /// <summary>Finds every whole and right record; what lies between them is passed over.</summary>
    /// <param name="found">Key, offset and length of a record.</param>
    /// <returns>Bytes that belong to no record: damaged ones, or the end that a kill cut off.</returns>
    public long Scan(Action<CompletionKey, long, int> found)
    {
        long at = 0, lost = 0;
        while (at < length)
        {
            if (CompletionRecord.LengthIn(Window(at, CompletionRecord.HeaderBytes)) is { } size && at + size <= length
                && CompletionRecord.KeyOf(Window(at, size)) is { } key)
            {
                found(key, at, size);
                at += size;
                continue;
            }

            long next = NextMark(at + 1);
            lost += next - at;
            at = next;
        }

        return lost;
    }

    private long NextMark(long at)
    {
        while (at < length)
        {
            ReadOnlySpan<byte> bytes = Window(at, (int)Math.Min(window.Length, length - at));
            int index = bytes.IndexOf(CompletionRecord.Mark);
            if (index >= 0) return at + index;
            if (bytes.Length < CompletionRecord.Mark.Length) return length;
            at += bytes.Length - CompletionRecord.Mark.Length + 1;
        }

        return length;
    }

    /// <summary>The bytes from an offset on, fewer where the file ends before.</summary>
    private ReadOnlySpan<byte> Window(long offset, int count)
    {
        if (offset < windowStart || offset + count > windowStart + windowLength) Fill(offset, count);
        int start = (int)(offset - windowStart);
        return window.AsSpan(start, Math.Min(count, windowLength - start));
    }

    private void Fill(long offset, int count)
    {
        if (count > window.Length) window = new byte[count];
        (windowStart, windowLength) = (offset, 0);
        while (windowLength < window.Length)
        {
            int read = RandomAccess.Read(file, window.AsSpan(windowLength), offset + windowLength);
            if (read == 0) break;
            windowLength += read;
        }
    }
}
