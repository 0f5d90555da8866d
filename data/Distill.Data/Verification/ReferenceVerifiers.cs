using System.Globalization;
using Distill.Verification;

namespace Distill.Data.Verification;

/// <summary>Accepts the reference's integer and nothing else, or the word <c>impossible</c> where that is the reference.</summary>
internal sealed class IntegerVerifier : IVerifier
{
    private const string Impossible = "impossible";

    public string Name => "integer";

    public int Version => 1;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (AnswerText.Read(answer) is not { } text)
            return Verdict.Undecidable;
        if (text == Impossible)
            return problem.ReferenceAnswer == Impossible ? Verdict.Correct : Verdict.Incorrect;
        if (AnswerText.ReadInteger(text) is not { } value)
            return Verdict.Undecidable;
        return value == AnswerText.ReadInteger(problem.ReferenceAnswer) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Read(answer) is not { } text
        ? null
        : text == Impossible ? text : AnswerText.ReadInteger(text)?.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Accepts the reference's <c>yes</c> or <c>no</c>; any other text is not an answer.</summary>
internal sealed class YesNoVerifier : IVerifier
{
    public string Name => "yes-no";

    public int Version => 1;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var word = AnswerText.Read(answer);
        if (word is not ("yes" or "no"))
            return Verdict.Undecidable;
        return word == problem.ReferenceAnswer ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) =>
        AnswerText.Read(answer) is "yes" or "no" ? AnswerText.Read(answer) : null;
}

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
