namespace Distill.Data.Verification;

/// <summary>Reads what all answers share: surrounding space, letter case and one closing period do not matter.</summary>
internal static class AnswerText
{
    /// <summary>The longest right answer of any family is far shorter; longer text is not an answer.</summary>
    private const int MaxLength = 400;

    /// <returns>Lower-case words parted by single spaces, or null when there is nothing to read.</returns>
    public static string? Read(string? answer)
    {
        if (answer is null || answer.Length > MaxLength)
            return null;
        var words = answer.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var text = string.Join(' ', words);
        if (text.EndsWith('.'))
            text = text[..^1].TrimEnd();
        // ASCII letters only: a letter that merely lower-cases to one of ours is another letter.
        text = string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
        });
        return text.Length == 0 ? null : text;
    }

    /// <returns>Null unless <paramref name="text"/> is an optional minus sign and 1–9 ASCII digits.</returns>
    public static int? ReadInteger(string text)
    {
        var digits = text.AsSpan();
        var negative = digits.StartsWith("-");
        if (negative)
            digits = digits[1..].TrimStart();
        if (digits.Length is 0 or > 9)
            return null;
        var value = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
                return null;
            value = (value * 10) + (digit - '0');
        }

        return negative ? -value : value;
    }
}
