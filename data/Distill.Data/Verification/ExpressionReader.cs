namespace Distill.Data.Verification;

/// <summary>
/// Reads an expression of whole numbers, <c>+ - *</c> and parentheses, with the usual precedence. Bounded in length, depth and
/// size of numbers; there is no unary minus. One use per text.
/// </summary>
internal sealed class ExpressionReader
{
    private const int MaxLength = 200;
    private const int MaxDepth = 16;
    private const int MaxDigits = 4;

    private readonly string text;
    private readonly List<int> numbers = [];
    private int position;

    private ExpressionReader(string text) => this.text = text;

    /// <returns>
    /// The value and the numbers used, in order; null when the text is not an expression. The value is null when it leaves ±10⁹.
    /// </returns>
    public static (long? Value, IReadOnlyList<int> Numbers)? Read(string text)
    {
        if (text.Length > MaxLength)
            return null;
        var reader = new ExpressionReader(text);
        if (!reader.Sum(0, out var value))
            return null;
        reader.SkipSpace();
        return reader.position == text.Length ? (value, reader.numbers) : null;
    }

    private bool Sum(int depth, out long? value)
    {
        if (!Product(depth, out value))
            return false;
        while (Take('+', '-') is { } sign)
        {
            if (!Product(depth, out var right))
                return false;
            value = Bounded(sign == '+' ? value + right : value - right);
        }

        return true;
    }

    private bool Product(int depth, out long? value)
    {
        if (!Atom(depth, out value))
            return false;
        while (Take('*', '*') is not null)
        {
            if (!Atom(depth, out var right))
                return false;
            value = Bounded(value * right);
        }

        return true;
    }

    private bool Atom(int depth, out long? value)
    {
        value = null;
        if (Take('(', '(') is not null)
            return depth < MaxDepth && Sum(depth + 1, out value) && Take(')', ')') is not null;
        SkipSpace();
        var start = position;
        var number = 0;
        while (position < text.Length && char.IsAsciiDigit(text[position]) && position - start < MaxDigits)
            number = (number * 10) + (text[position++] - '0');
        // More digits than allowed leave a digit here, which nothing accepts.
        if (position == start)
            return false;
        numbers.Add(number);
        value = number;
        return true;
    }

    private char? Take(char first, char second)
    {
        SkipSpace();
        if (position < text.Length && (text[position] == first || text[position] == second))
            return text[position++];
        return null;
    }

    private void SkipSpace()
    {
        while (position < text.Length && text[position] == ' ')
            position++;
    }

    private static long? Bounded(long? value) => value is > -1_000_000_000 and < 1_000_000_000 ? value : null;
}
