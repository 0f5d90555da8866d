namespace Distill.Data.Problems.Twins;

/// <summary>Numbers that a text says in words, and numbers that it lets people think of: 60 where hours are spoken of.</summary>
internal static class NumberWords
{
    // Beginnings of words, by what they may put into a calculation.
    private static readonly (int Value, string Words)[] Meanings =
    [
        (1, "one once half third quarter fourth first single another"), (2, "two twice double half second both pair couple twin halve"),
        (3, "three thrice triple third"), (4, "four quarter fourth quadruple"), (5, "five fifth nickel"), (6, "six sixth"),
        (7, "seven seventh week daily"), (8, "eight eighth"), (9, "nine ninth"), (10, "ten tenth dime decade"), (11, "eleven"),
        (12, "twelve dozen month year annual foot feet inch"), (13, "thirteen"), (14, "fourteen fortnight"), (15, "fifteen"),
        (16, "sixteen ounce pound"),
        (17, "seventeen"), (18, "eighteen"), (19, "nineteen"), (20, "twenty score"), (24, "day daily hour dozen"), (25, "quarter"),
        (30, "thirty month day"), (31, "month day"), (36, "yard feet inch"), (40, "forty"), (50, "fifty half"), (52, "week year"),
        (60, "sixty hour minute second"), (70, "seventy"), (80, "eighty"), (90, "ninety"),
        (100, "hundred percent cent dollar meter century"),
        (360, "degree circle"), (365, "year day"), (1000, "thousand kilo gram liter meter"), (3600, "hour second"),
    ];

    /// <summary>All values that words of the text may stand for.</summary>
    public static HashSet<Fraction> In(string text)
    {
        var words = Prose.Words(text);
        var values = Meanings.Where(meaning => meaning.Words.Split(' ')
            .Any(start => words.Any(word => word.StartsWith(start, StringComparison.Ordinal))))
            .Select(meaning => (Fraction)meaning.Value).ToHashSet();
        if (text.Contains('%', StringComparison.Ordinal))
            values.Add(100);
        return values;
    }
}
