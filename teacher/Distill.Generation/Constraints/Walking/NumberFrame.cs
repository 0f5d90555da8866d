using System.Globalization;
using System.Numerics;

namespace Distill.Generation.Constraints;

/// <summary>Where a number stands, RFC 8259 section 6.</summary>
internal enum NumberPhase
{
    Sign,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

/// <summary>Inside a number.</summary>
/// <param name="Digits">Of the present part.</param>
/// <param name="Text">What was read, where the node has a range; empty otherwise.</param>
internal sealed record NumberFrame(NumberNode Node, NumberPhase Phase, int Digits, string Text, Frame Rest) : Frame
{
    public override bool CanEnd => IsWhole && Rest.CanEnd;

    private bool IsWhole =>
        Phase is NumberPhase.Zero or NumberPhase.Whole or NumberPhase.Fraction or NumberPhase.ExponentDigits
            && (Node.Range is not { } range || range.Contains(Text));

    public override void Step(byte next, List<Frame> into)
    {
        if (After(next) is { } phase)
        {
            int digits = !char.IsAsciiDigit((char)next) ? 0 : phase == Phase ? Digits + 1 : 1;
            string text = Node.Range is null ? "" : Text + (char)next;
            if (digits <= Most(phase) && Node.Range?.CanReach(text) != false) into.Add(new NumberFrame(Node, phase, digits, text, Rest));
        }
        else if (IsWhole) Rest.Step(next, into);
    }

    private NumberPhase? After(byte next) => (Phase, (char)next) switch
    {
        (NumberPhase.Sign, '0') => Node.IsInteger ? null : NumberPhase.Zero,
        (NumberPhase.Sign or NumberPhase.Whole, >= '0' and <= '9') => NumberPhase.Whole,
        (NumberPhase.Zero or NumberPhase.Whole, '.') when !Node.IsInteger => NumberPhase.Point,
        (NumberPhase.Point or NumberPhase.Fraction, >= '0' and <= '9') => NumberPhase.Fraction,
        (NumberPhase.Zero or NumberPhase.Whole or NumberPhase.Fraction, 'e' or 'E') when Node.TakesExponent => NumberPhase.Exponent,
        (NumberPhase.Exponent, '+' or '-') => NumberPhase.ExponentSign,
        (NumberPhase.Exponent or NumberPhase.ExponentSign or NumberPhase.ExponentDigits, >= '0' and <= '9') => NumberPhase.ExponentDigits,
        _ => null,
    };

    private static int Most(NumberPhase phase) => phase switch
    {
        NumberPhase.Whole => NumberRange.WholeDigits,
        NumberPhase.Fraction => NumberRange.FractionDigits,
        NumberPhase.ExponentDigits => NumberRange.ExponentDigits,
        _ => int.MaxValue,
    };
}

/// <summary>Numbers between two bounds, in units of the last decimal place that is written. Immutable.</summary>
internal sealed class NumberRange
{
    /// <summary>Digits before the point, so that integers fit 64 bits.</summary>
    public const int WholeDigits = 18;

    /// <summary>Digits after the point: what distinguishes two numbers of double precision around 1, and three more.</summary>
    public const int FractionDigits = 20;

    /// <summary>Digits of the exponent, so that the number is finite in double precision.</summary>
    public const int ExponentDigits = 2;

    private readonly int places; // after the point
    private readonly BigInteger least, greatest;

    /// <param name="least">Null: none.</param>
    /// <param name="greatest">Null: none.</param>
    public NumberRange(bool isInteger, (decimal Value, bool IsExclusive)? least, (decimal Value, bool IsExclusive)? greatest)
    {
        places = isInteger ? 0 : FractionDigits;
        BigInteger end = BigInteger.Pow(10, WholeDigits + places) - 1;
        this.least = least is { } low ? BigInteger.Max(-end, Ceiling(low.Value) + OneIf(low.IsExclusive && IsExact(low.Value))) : -end;
        this.greatest = greatest is { } high
            ? BigInteger.Min(end, -Ceiling(-high.Value) - OneIf(high.IsExclusive && IsExact(high.Value))) : end;
    }

    public bool IsEmpty => least > greatest;

    /// <summary>Whether a number as it was read lies within.</summary>
    public bool Contains(string text)
    {
        var (negative, mantissa, fraction, _) = Read(text);
        BigInteger value = mantissa * BigInteger.Pow(10, places - fraction);
        return Meets(negative, value, value);
    }

    /// <summary>Whether more digits can make one within of what was read; also of a sign alone.</summary>
    public bool CanReach(string text)
    {
        var (negative, mantissa, fraction, hasPoint) = Read(text);
        int digits = text.Length - (negative ? 1 : 0);
        if (digits == 0) return Meets(negative, places == 0 ? 1 : 0, BigInteger.Pow(10, WholeDigits + places) - 1);
        int more = hasPoint || text[^digits] == '0' ? 0 : WholeDigits - digits;
        for (int extra = 0; extra <= more; extra++)
        {
            BigInteger unit = BigInteger.Pow(10, extra + places - fraction);
            if (Meets(negative, mantissa * unit, (mantissa * unit) + unit - 1)) return true;
        }

        return false;
    }

    private bool Meets(bool negative, BigInteger low, BigInteger high) =>
        negative ? -high <= greatest && -low >= least : low <= greatest && high >= least;

    private BigInteger Ceiling(decimal value)
    {
        var (numerator, denominator) = Fraction(value);
        return BigInteger.Divide(numerator.Sign > 0 ? numerator + denominator - 1 : numerator, denominator); // Divide goes towards 0
    }

    private bool IsExact(decimal value)
    {
        var (numerator, denominator) = Fraction(value);
        return numerator % denominator == 0;
    }

    /// <summary>The value in units of the last place.</summary>
    private (BigInteger Numerator, BigInteger Denominator) Fraction(decimal value)
    {
        int scale = value.Scale;
        BigInteger whole = BigInteger.Parse(value.ToString(CultureInfo.InvariantCulture).Replace(".", ""), CultureInfo.InvariantCulture);
        return (whole * BigInteger.Pow(10, places), BigInteger.Pow(10, scale));
    }

    private static BigInteger OneIf(bool condition) => condition ? BigInteger.One : BigInteger.Zero;

    private static (bool Negative, BigInteger Mantissa, int Fraction, bool HasPoint) Read(string text)
    {
        bool negative = text.StartsWith('-');
        int point = text.IndexOf('.');
        string digits = text[(negative ? 1 : 0)..].Replace(".", "");
        return (negative, digits.Length == 0 ? 0 : BigInteger.Parse(digits, CultureInfo.InvariantCulture),
            point < 0 ? 0 : text.Length - point - 1, point >= 0);
    }
}
