using System.Text;

namespace Distill.Data.Curation;

/// <summary>Writing systems, as far as it takes to see that a text has changed its language.</summary>
[Flags]
internal enum WritingScripts
{
    None = 0,
    Latin = 1,
    Greek = 2,
    Cyrillic = 4,
    Hebrew = 8,
    Arabic = 16,
    Indic = 32,
    SoutheastAsian = 64,
    Han = 128,
    Kana = 256,
    Hangul = 512,
    Other = 1024,
}

/// <summary>Which scripts a text uses, by the blocks of Unicode. Digits, marks, symbols and mathematical letters belong to none.</summary>
internal static class Scripts
{
    private static readonly (int First, int Last, WritingScripts Script)[] Blocks =
    [
        (0x0041, 0x02AF, WritingScripts.Latin), (0x0370, 0x03FF, WritingScripts.Greek), (0x0400, 0x052F, WritingScripts.Cyrillic),
        (0x0590, 0x05FF, WritingScripts.Hebrew), (0x0600, 0x077F, WritingScripts.Arabic), (0x08A0, 0x08FF, WritingScripts.Arabic),
        (0x0900, 0x0DFF, WritingScripts.Indic), (0x0E00, 0x0EFF, WritingScripts.SoutheastAsian),
        (0x1000, 0x109F, WritingScripts.SoutheastAsian), (0x1100, 0x11FF, WritingScripts.Hangul),
        (0x1780, 0x17FF, WritingScripts.SoutheastAsian), (0x1C80, 0x1C8F, WritingScripts.Cyrillic),
        (0x1E00, 0x1EFF, WritingScripts.Latin), (0x1F00, 0x1FFF, WritingScripts.Greek), (0x2100, 0x214F, WritingScripts.None),
        (0x2C60, 0x2C7F, WritingScripts.Latin), (0x2DE0, 0x2DFF, WritingScripts.Cyrillic), (0x3005, 0x3007, WritingScripts.Han),
        (0x3040, 0x30FF, WritingScripts.Kana), (0x3130, 0x318F, WritingScripts.Hangul), (0x31F0, 0x31FF, WritingScripts.Kana),
        (0x3400, 0x4DBF, WritingScripts.Han), (0x4E00, 0x9FFF, WritingScripts.Han), (0xA720, 0xA7FF, WritingScripts.Latin),
        (0xAC00, 0xD7AF, WritingScripts.Hangul), (0xF900, 0xFAFF, WritingScripts.Han), (0xFB50, 0xFDFF, WritingScripts.Arabic),
        (0xFE70, 0xFEFF, WritingScripts.Arabic), (0xFF21, 0xFF5A, WritingScripts.Latin), (0xFF66, 0xFF9F, WritingScripts.Kana),
        (0x1D400, 0x1D7FF, WritingScripts.None), (0x20000, 0x323AF, WritingScripts.Han),
    ];

    public static WritingScripts Of(string text)
    {
        var found = WritingScripts.None;
        foreach (var rune in text.EnumerateRunes()) found |= Of(rune);
        return found;
    }

    /// <returns>Letters of other scripts than the known ones, and all letters.</returns>
    public static (long Foreign, long Letters) Count(string text, WritingScripts known)
    {
        long foreign = 0, letters = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var script = Of(rune);
            if (script == WritingScripts.None) continue;
            letters++;
            if ((script & known) == 0) foreign++;
        }

        return (foreign, letters);
    }

    private static WritingScripts Of(Rune rune)
    {
        if (rune.IsAscii) return char.IsAsciiLetter((char)rune.Value) ? WritingScripts.Latin : WritingScripts.None;
        if (!Rune.IsLetter(rune)) return WritingScripts.None;
        int low = 0, high = Blocks.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            var (first, last, script) = Blocks[middle];
            if (rune.Value < first) high = middle - 1;
            else if (rune.Value > last) low = middle + 1;
            else return script;
        }

        return WritingScripts.Other;
    }
}
