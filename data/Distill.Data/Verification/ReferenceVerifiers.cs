using System.Globalization;
using Distill.Verification;
using Distill.Verification.Named;

namespace Distill.Data.Verification;

/// <summary>Accepts the reference's integer and nothing else, or the word <c>impossible</c> where that is the reference.</summary>
internal sealed class IntegerVerifier : IVerifier
{
    private const string Impossible = "impossible";

    public string Name => "whole-number";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given)
            return Verdict.Undecidable;
        return given == Read(problem.ReferenceAnswer) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Understood(answer, Read);

    private static string? Read(string text) =>
        text == Impossible ? text : AnswerText.ReadInteger(text)?.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Accepts the reference's <c>yes</c> or <c>no</c>; any other text is not an answer.</summary>
internal sealed class YesNoVerifier : IVerifier
{
    public string Name => "yes-no";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } word)
            return Verdict.Undecidable;
        return word == problem.ReferenceAnswer ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) =>
        AnswerText.Understood(answer, static text => text is "yes" or "no" ? text : null);
}

/// <summary>Reads what all answers share: surrounding space, letter case and one closing period do not matter.</summary>
internal static class AnswerText
{
    /// <summary>The longest right answer of any family is far shorter; longer text is not an answer.</summary>
    private const int MaxLength = 400;

    /// <summary>
    /// What a text says: read as nothing but an answer; where that fails, what follows its thoughts; and where that fails too, the answer
    /// that it marks, as <see cref="AnswerExtraction"/> finds it.
    /// </summary>
    /// <param name="read">Gets lower-case words parted by single spaces; null when they are no answer.</param>
    public static T? Understood<T>(string? answer, Func<string, T?> read)
        where T : class
    {
        if (answer is null)
            return null;
        if (Read(answer) is { } text && read(text) is { } whole)
            return whole;
        if (AnswerExtraction.Body(answer) is not { } body)
            return null;
        if (body.Length < answer.Length && Read(body) is { } rest && read(rest) is { } afterThought)
            return afterThought;
        return AnswerExtraction.Strict(body) is { } marked && Read(LatexText.Plain(marked)) is { } found ? read(found) : null;
    }

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

    /// <returns>
    /// Null unless <paramref name="text"/> is an optional minus sign and 1–9 ASCII digits, with commas between all thousands or none.
    /// </returns>
    public static int? ReadInteger(string text)
    {
        var digits = (HasThousands(text) ? text.Replace(",", "", StringComparison.Ordinal) : text).AsSpan();
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

    private static bool HasThousands(string text)
    {
        var groups = text.TrimStart('-', ' ').Split(',');
        return groups.Length > 1 && groups[0].Length is >= 1 and <= 3 && groups[0][0] != '0'
            && groups.Skip(1).All(group => group.Length == 3);
    }
}
