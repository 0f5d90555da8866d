using System.Globalization;
using System.Text;
using Distill.Tokenization;

namespace Distill.Data.Tests.Tokenization;

/// <summary>
/// Strings that find faults in tokenizers: scripts, marks, emoji, controls, runs of blanks, digits, tokens and pieces of tokens.
/// </summary>
internal sealed class RandomText(int seed, Tokenizer tokenizer)
{
    // First and last code points, each of a script or kind; what is unassigned in them is left out.
    private static readonly (int First, int Last)[] s_blocks =
    [
        (0x21, 0x7E), (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0xA1, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA),
        (0x620, 0x669), (0x900, 0x97F), (0xE01, 0xE5B), (0x1100, 0x11FF), (0x3041, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xAD00),
        (0x300, 0x36F), (0x2000, 0x206F), (0x20A0, 0x214F), (0x2160, 0x2188), (0x2460, 0x24FF), (0xFB00, 0xFB06),
        (0xFF01, 0xFF5E), (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1F64F), (0x1F3FB, 0x1F3FF),
        (0x20000, 0x20100), (0xE000, 0xE010),
    ];

    private static readonly string[] s_pieces =
    [
        " ", "  ", "    ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00A0", "\u3000", "\u2028", "\u0085", "\u200B", "\u200D",
        "\uFE0F", "\uFEFF", "\u0001", "\u001B", "\u007F", "'s", "'LL", "don't", "1234567", "3.14", "e\u0301",
        "👩‍👩‍👧", "🇩🇪", "▁", "Ġ", "<0x41>", "</s>", "<|", "|>", "<think>", "_", "\uFFFD", "x+=1;", "...", "--", "\\n",
    ];

    private readonly Random _random = new(seed);
    private readonly int[] _added = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsAdded)];

    public string Next()
    {
        var text = new StringBuilder();
        for (int parts = _random.Next(1, 14); parts > 0; parts--)
        {
            string part = Part();
            text.Append(_random.Next(8) == 0 ? string.Concat(Enumerable.Repeat(part, _random.Next(2, 6))) : part);
        }
        return text.ToString();
    }

    private string Part() => _random.Next(10) switch
    {
        0 or 1 => s_pieces[_random.Next(s_pieces.Length)],
        2 or 3 => Token(_random.Next(tokenizer.VocabularySize)),
        4 => Cut(Token(_random.Next(tokenizer.VocabularySize))),
        5 => Added() is { } token ? _random.Next(3) == 0 ? Cut(token) : token : " ",
        _ => Run(s_blocks[_random.Next(s_blocks.Length)]),
    };

    /// <summary>Letters of one kind; surrogates and code points without a character are no text.</summary>
    private string Run((int First, int Last) block)
    {
        var run = new StringBuilder();
        for (int length = _random.Next(1, 8); length > 0; length--)
        {
            var rune = new Rune(_random.Next(block.First, block.Last + 1));
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.OtherNotAssigned) run.Append(rune.ToString());
        }
        return run.ToString();
    }

    private string Token(int id) => WellFormed(tokenizer.TryPieceOf(id, out _) ? tokenizer.Decode([id]) : "?");

    private string? Added() => _added.Length == 0 ? null : WellFormed(tokenizer.PieceOf(_added[_random.Next(_added.Length)]));

    private string Cut(string text)
    {
        var runes = text.EnumerateRunes().ToArray();
        int start = _random.Next(runes.Length + 1);
        return string.Concat(runes[start..].Select(r => r.ToString()).Take(_random.Next(1, 6)));
    }

    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
