using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Patterns;

/// <summary>
/// \w of Unicode's regular expressions (UTS 18): letters, marks, decimal digits, connectors, the two joiners, and the symbols that count as
/// alphabetic (circled and squared Latin letters).
/// </summary>
internal static class WordCharacters
{
    public static bool Has(Rune rune) => rune.Value
        is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9)
        or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189)
        || Rune.GetUnicodeCategory(rune)
        is <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
