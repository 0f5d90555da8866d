namespace Distill.Generation.Constraints;

/// <summary>
/// Where the inside of a JSON string stands: between characters, within the UTF-8 bytes of one (Unicode 3.9, table 3-7), or within an
/// escape. An escaped surrogate is refused: outside a pair it is no character, and what a pair spells has bytes of its own.
/// </summary>
/// <param name="Pending">Bytes that the character still needs.</param>
/// <param name="Low">Least value of the next of them.</param>
/// <param name="High">Greatest value of the next of them.</param>
/// <param name="Escape">0 outside an escape, 1 after the backslash, 2 to 5 before a hexadecimal digit.</param>
/// <param name="IsSurrogateLike">The first digit of the escape was D.</param>
internal readonly record struct TextScan(byte Pending, byte Low, byte High, byte Escape, bool IsSurrogateLike)
{
    public static TextScan Start { get; }

    /// <summary>A character has ended, or none has begun.</summary>
    public bool IsBetween => Pending == 0 && Escape == 0;

    /// <param name="next">Not a quotation mark that ends the string.</param>
    /// <param name="canonical">Only escapes of two characters that no other spelling makes needless.</param>
    /// <returns>Whether the byte may stand here.</returns>
    public bool Take(byte next, bool canonical, out TextScan scan)
    {
        scan = Start;
        if (Pending > 0)
        {
            if (next < Low || next > High) return false;
            if (Pending > 1) scan = new TextScan((byte)(Pending - 1), 0x80, 0xBF, 0, false);
            return true;
        }

        if (Escape > 0) return TakeEscape(next, canonical, out scan);
        switch (next)
        {
            case (byte)'\\': scan = new TextScan(0, 0, 0, 1, false); return true;
            case < 0x20: return false;
            case < 0x80: return true;
            case >= 0xC2 and <= 0xDF: scan = Character(1, 0x80, 0xBF); return true;
            case 0xE0: scan = Character(2, 0xA0, 0xBF); return true;
            case 0xED: scan = Character(2, 0x80, 0x9F); return true;
            case >= 0xE1 and <= 0xEF: scan = Character(2, 0x80, 0xBF); return true;
            case 0xF0: scan = Character(3, 0x90, 0xBF); return true;
            case >= 0xF1 and <= 0xF3: scan = Character(3, 0x80, 0xBF); return true;
            case 0xF4: scan = Character(3, 0x80, 0x8F); return true;
            default: return false;
        }
    }

    private bool TakeEscape(byte next, bool canonical, out TextScan scan)
    {
        scan = Start;
        if (Escape == 1)
        {
            if ("\"\\bfnrt"u8.Contains(next) || (!canonical && next == '/')) return true;
            scan = new TextScan(0, 0, 0, 2, false);
            return !canonical && next == 'u';
        }

        if (!char.IsAsciiHexDigit((char)next)) return false;
        if (Escape == 3 && IsSurrogateLike && !char.IsBetween((char)next, '0', '7')) return false;
        if (Escape < 5) scan = new TextScan(0, 0, 0, (byte)(Escape + 1), Escape == 2 && next is (byte)'d' or (byte)'D');
        return true;
    }

    private static TextScan Character(byte pending, byte low, byte high) => new(pending, low, high, 0, false);
}
