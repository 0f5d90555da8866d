namespace Distill.Data.Problems;

/// <summary>Lines of bytes from a stream, none longer than a bound, so that a hostile file cannot fill the memory. Owns nothing.</summary>
internal sealed class BoundedLines(Stream stream, string name, int maxBytes)
{
    private byte[] buffer = new byte[Math.Min(64 * 1024, maxBytes + 1)];
    private int start;
    private int end;
    private bool ended;

    /// <summary>Number of the line last read, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>The next line without its line feed; valid until the next call.</summary>
    /// <returns>False after the last line.</returns>
    /// <exception cref="InvalidDataException">The line is too long.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        var searched = 0;
        while (true)
        {
            var feed = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (feed >= 0 || (ended && end > start))
            {
                var length = feed >= 0 ? searched + feed : end - start;
                if (length > maxBytes)
                    throw TooLong(Number + 1);
                line = buffer.AsMemory(start, length);
                start = Math.Min(end, start + length + 1);
                Number++;
                return true;
            }

            line = default;
            if (ended)
                return false;
            searched = end - start;
            if (searched > maxBytes)
                throw TooLong(Number + 1);
            Fill();
        }
    }

    private void Fill()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        else if (end == buffer.Length)
        {
            Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, maxBytes + 1L));
        }

        var read = stream.Read(buffer, end, buffer.Length - end);
        end += read;
        ended = read == 0;
    }

    private InvalidDataException TooLong(int number) => new($"{name}, line {number}: longer than {maxBytes} bytes.");
}
