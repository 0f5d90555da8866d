using System.Numerics;
using System.Text.RegularExpressions;
using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Units;

/// <summary>
/// Accepts the exact number, as an integer, a fraction, a mixed number or a decimal, alone or with the unit that was asked for;
/// <c>impossible</c> where that is the reference. A number with another unit is wrong, even when it comes to the same.
/// </summary>
internal sealed partial class UnitsVerifier : IVerifier
{
    public const string Impossible = "impossible";

    public string Name => "units";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given)
            return Verdict.Undecidable;
        return given == Read(problem.ReferenceAnswer, problem) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return AnswerText.Understood(answer, text => Read(text, problem));
    }

    private static string? Read(string text, IVerifiable problem)
    {
        if (text == Impossible)
            return text;
        var match = NumberAndUnit().Match(text);
        if (!match.Success || Value(match.Groups[1].Value) is not { } value)
            return null;
        if (match.Groups[2].Value is not { Length: > 0 } words)
            return value.ToString();
        if (Measure.Read(words) is not { } measure)
            return null;
        // The signature ends with the measure that was asked for.
        return measure.Text == problem.Signature[(problem.Signature.LastIndexOf('>') + 1)..] ? value.ToString() : $"{value} {measure.Text}";
    }

    private static Fraction? Value(string text)
    {
        if (Mixed().Match(text) is { Success: true, Groups: var parts })
        {
            var whole = parts[1].Success ? Integer(parts[1].Value) : 0;
            return Integer(parts[3].Value) is { IsZero: false } below
                ? (Fraction)whole + new Fraction(Integer(parts[2].Value), below)
                : null;
        }

        if (Decimal().Match(text) is not { Success: true, Groups: var number })
            return null;
        var places = number[2].Value;
        return new Fraction(
            Integer(number[1].Value.Replace(",", "", StringComparison.Ordinal) + places), BigInteger.Pow(10, places.Length));
    }

    private static BigInteger Integer(string digits) => BigInteger.Parse(digits, System.Globalization.NumberStyles.None);

    [GeneratedRegex("^([0-9][0-9,./ ]{0,60}?) ?([a-z][a-z ]{0,40})?$")]
    private static partial Regex NumberAndUnit();

    [GeneratedRegex("^(?:([0-9]{1,18}) )?([0-9]{1,18}) ?/ ?([0-9]{1,18})$")]
    private static partial Regex Mixed();

    [GeneratedRegex(@"^([0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(?:\.([0-9]{1,18}))?$")]
    private static partial Regex Decimal();
}
