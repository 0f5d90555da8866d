using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Twins;

/// <summary>One calculation of a worked solution, e.g. <c>48/2=24</c>.</summary>
internal sealed record CalculationStep(string Expression, Fraction Result);

/// <summary>
/// The calculations of a worked solution in their order, read from marks such as <c>&lt;&lt;48/2=24&gt;&gt;</c> (as in GSM8K) or, without
/// any, from the text itself.
/// </summary>
internal static partial class CalculationChain
{
    private const int MaxSteps = 24;
    private const int MaxLength = 8000;

    /// <returns>Empty when there are no calculations, or one that cannot be read or is not exact.</returns>
    public static IReadOnlyList<CalculationStep> Read(string solution)
    {
        if (solution.Length > MaxLength)
            return [];
        var marks = solution.Split("<<").Length - 1;
        var matches = marks > 0 ? Mark().Matches(solution) : Plain().Matches(solution);
        if (matches.Count > MaxSteps || (marks > 0 && matches.Count != marks))
            return [];
        var steps = new List<CalculationStep>();
        foreach (Match match in matches)
        {
            var expression = match.Groups["expression"].Value;
            if (TextNumber.TryRead(match.Groups["result"].Value) is not { Value: var result }
                || Calculation.Evaluate(expression, value => value) != result)
                return [];
            steps.Add(new CalculationStep(expression, result));
        }

        return steps;
    }

    [GeneratedRegex(@"<<(?<expression>[^<>=]{1,120})=(?<result>[^<>=]{1,40})>>")]
    private static partial Regex Mark();

    [GeneratedRegex(
        @"(?<![\w.,/*+=-])(?<expression>\(*\$?[0-9.][0-9.,]*%?(?:\)*\s?[-+*/x×÷]\s?\(*\$?[0-9.][0-9.,]*%?){1,20}\)*)"
        + @"\s?=\s?(?<result>\$?[0-9.][0-9,]*(?:\.[0-9]+)?)")]
    private static partial Regex Plain();
}

/// <summary>Exact arithmetic on a written expression: <c>+ - * /</c>, parentheses, percent. Bounded in length and depth.</summary>
internal sealed class Calculation
{
    private const int MaxDepth = 16;

    private readonly string text;
    private readonly Func<Fraction, Fraction> replace;
    private int at;
    private int depth;

    private Calculation(string text, Func<Fraction, Fraction> replace) => (this.text, this.replace) = (text, replace);

    /// <param name="replace">What stands for each number written.</param>
    /// <returns>Null when the expression cannot be read or divides by 0.</returns>
    public static Fraction? Evaluate(string expression, Func<Fraction, Fraction> replace)
    {
        var spelled = expression.Replace('×', '*').Replace('x', '*').Replace('÷', '/');
        var calculation = new Calculation(string.Concat(spelled.Where(unit => unit is not (' ' or '$'))), replace);
        var value = calculation.Sum();
        return value is not null && calculation.at == calculation.text.Length ? value : null;
    }

    /// <summary>The numbers that are written in an expression.</summary>
    public static IReadOnlyList<Fraction> Numbers(string expression)
    {
        var numbers = new List<Fraction>();
        Evaluate(expression, value =>
        {
            numbers.Add(value);
            return value;
        });
        return numbers;
    }

    private Fraction? Sum()
    {
        var value = Product();
        while (value is { } left && Next() is '+' or '-')
        {
            var op = text[at++];
            value = Product() is { } right ? op == '+' ? left + right : left - right : null;
        }

        return value;
    }

    private Fraction? Product()
    {
        var value = Factor();
        while (value is { } left && Next() is '*' or '/')
        {
            var op = text[at++];
            value = Factor() is not { } right || (op == '/' && right.IsZero) ? null : op == '*' ? left * right : left / right;
        }

        return value;
    }

    private Fraction? Factor()
    {
        Fraction? value;
        if (Next() == '(')
        {
            if (++depth > MaxDepth)
                return null;
            at++;
            value = Sum();
            depth--;
            if (Next() != ')')
                return null;
            at++;
        }
        else
        {
            var start = at;
            while (Next() is >= '0' and <= '9' or '.' or ',')
                at++;
            value = TextNumber.TryRead(text[start..at]) is { } number ? replace(number.Value) : null;
        }

        if (value is { } known && Next() == '%')
        {
            at++;
            return known / 100;
        }

        return value;
    }

    private char Next() => at < text.Length ? text[at] : '\0';
}
