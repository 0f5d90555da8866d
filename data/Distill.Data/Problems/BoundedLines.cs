using Distill.Storage;

namespace Distill.Data.Problems;

/// <summary>
/// Lines of UTF-8 from a stream, without its byte order mark, none longer than a bound, so that a hostile file cannot fill the memory.
/// Owns nothing.
/// </summary>
/// <param name="skipsLong">A line that is too long is passed over, which <see cref="WasTooLong"/> says, instead of being a fault.</param>
internal sealed class BoundedLines(Stream stream, string name, int maxBytes, bool skipsLong = false)
{
    private byte[] buffer = new byte[Math.Min(64 * 1024, maxBytes + 1)];
    private int start;
    private int end;
    private bool begun;
    private bool ended;

    /// <summary>Number of the line last read, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>The line last read was longer than the bound, and is empty instead.</summary>
    public bool WasTooLong { get; private set; }

    /// <summary>The next line without its line feed; valid until the next call.</summary>
    /// <returns>False after the last line.</returns>
    /// <exception cref="InvalidDataException">The line is too long, or the text is not UTF-8 but UTF-16 or UTF-32.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        if (!begun)
            Begin();
        WasTooLong = false;
        var searched = 0;
        while (true)
        {
            var feed = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (feed >= 0 || (ended && end > start))
            {
                var length = feed >= 0 ? searched + feed : end - start;
                if (length > maxBytes)
                {
                    if (!skipsLong)
                        throw TooLong(Number + 1);
                    WasTooLong = true;
                }

                if (WasTooLong)
                    (start, length) = (start + length, 0);
                line = buffer.AsMemory(start, length);
                start = Math.Min(end, start + length + 1);
                Number++;
                return true;
            }

            line = default;
            if (ended)
            {
                if (WasTooLong)
                    Number++;
                return WasTooLong;
            }

            searched = end - start;
            if (searched > maxBytes)
            {
                if (!skipsLong)
                    throw TooLong(Number + 1);
                (WasTooLong, start, searched) = (true, end, 0);
            }

            Fill();
        }
    }

    /// <param name="beginning">The first bytes of a text, at least four where there are so many.</param>
    /// <exception cref="InvalidDataException">They say that it is UTF-16 or UTF-32.</exception>
    public static void RequireUtf8(ReadOnlySpan<byte> beginning, string name)
    {
        if (OtherEncoding(beginning[..Math.Min(4, beginning.Length)]) is { } encoding)
        {
            throw new InvalidDataException(Printable.Of(
                $"{name}: the text is {encoding}, not UTF-8. Save it as UTF-8, e.g. by iconv -f {encoding} -t UTF-8."));
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

    private void Begin()
    {
        begun = true;
        while (!ended && end < Math.Min(4, buffer.Length))
            Fill();
        RequireUtf8(buffer.AsSpan(0, end), name);
        if (buffer.AsSpan(0, end).StartsWith("\uFEFF"u8))
            start = 3;
    }

    // By the byte order mark, or by the zeros of the first character: text that we read begins with an ASCII one (RFC 4627, section 3).
    private static string? OtherEncoding(ReadOnlySpan<byte> first) => first switch
    {
        [0xFF, 0xFE, 0, 0] or [0, 0, 0xFE, 0xFF] or [not 0, 0, 0, 0] or [0, 0, 0, not 0] => "UTF-32",
        [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [not 0, 0, not 0, 0] or [0, not 0, 0, not 0] => "UTF-16",
        _ => null,
    };

    private InvalidDataException TooLong(int number) => new(Printable.Of($"{name}, line {number}: longer than {maxBytes} bytes."));
}
