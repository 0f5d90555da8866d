using Distill.Verification.Mathematics.Numbers;

namespace Distill.Verification.Mathematics.Reading;

/// <summary>An expression as it was read. Immutable; never deeper than the reader allows.</summary>
internal abstract record Expression
{
    /// <summary>What it consists of, in order.</summary>
    public abstract IEnumerable<Expression> Parts { get; }
}

/// <param name="Decimals">How many digits were written after the point, without zeros at the end; null: it was written without one.</param>
/// <param name="Digits">Significant digits, without zeros at either end.</param>
internal sealed record Literal(Rational Value, int? Decimals, int Digits) : Expression
{
    public override IEnumerable<Expression> Parts => [];

    public static Literal Of(Rational value) => new(value, null, 0);

    public static Literal Of(long value) => Of(Rational.Of(value));
}

/// <summary>A variable, or one of the constants <c>pi</c>, <c>e</c>, <c>i</c> and <c>infinity</c>.</summary>
internal sealed record Name(string Text) : Expression
{
    public const string Pi = "pi";
    public const string E = "e";
    public const string I = "i";
    public const string Infinity = "infinity";

    public bool IsVariable => Text is not (Pi or E or I or Infinity);

    public override IEnumerable<Expression> Parts => [];
}

internal sealed record Sum(IReadOnlyList<Expression> Terms) : Expression
{
    public override IEnumerable<Expression> Parts => Terms;
}

internal sealed record Product(IReadOnlyList<Expression> Factors) : Expression
{
    public override IEnumerable<Expression> Parts => Factors;
}

internal sealed record Negation(Expression Inner) : Expression
{
    public override IEnumerable<Expression> Parts => [Inner];
}

/// <summary>± (or, turned, ∓): two values, of which the first has the sign plus (or minus).</summary>
internal sealed record PlusMinus(Expression Inner, bool IsTurned) : Expression
{
    public override IEnumerable<Expression> Parts => [Inner];
}

internal sealed record Quotient(Expression Numerator, Expression Denominator) : Expression
{
    public override IEnumerable<Expression> Parts => [Numerator, Denominator];
}

internal sealed record Power(Expression Base, Expression Exponent) : Expression
{
    public override IEnumerable<Expression> Parts => [Base, Exponent];
}

internal sealed record Root(Expression Radicand, int Degree) : Expression
{
    public override IEnumerable<Expression> Parts => [Radicand];
}

internal sealed record Logarithm(Expression Base, Expression Argument) : Expression
{
    public override IEnumerable<Expression> Parts => [Base, Argument];
}

internal sealed record Binomial(Expression Upper, Expression Lower) : Expression
{
    public override IEnumerable<Expression> Parts => [Upper, Lower];
}

internal sealed record Call(Function Function, Expression Argument) : Expression
{
    public override IEnumerable<Expression> Parts => [Argument];
}

/// <summary>Functions of one argument. Percent and degree are functions too: the hundredth part, and π/180 times.</summary>
internal enum Function
{
    Percent,
    Degree,
    Absolute,
    Floor,
    Ceiling,
    Factorial,
    DoubleFactorial,
    Ln,
    Exp,
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Arcsin,
    Arccos,
    Arctan,
    Sinh,
    Cosh,
    Tanh,
}

/// <summary>Questions about whole expressions.</summary>
internal static class ExpressionQuestions
{
    /// <summary>It and all that it consists of, in no particular order.</summary>
    public static List<Expression> All(this Expression expression)
    {
        var all = new List<Expression> { expression };
        for (int i = 0; i < all.Count; i++) all.AddRange(all[i].Parts);
        return all;
    }

    public static IReadOnlySet<string> Variables(this Expression expression) =>
        expression.All().OfType<Name>().Where(name => name.IsVariable).Select(name => name.Text).ToHashSet();

    public static bool HasVariables(this Expression expression) => expression switch
    {
        Literal => false,
        Name name => name.IsVariable,
        _ => expression.Parts.Any(HasVariables),
    };

    public static bool HasDecimals(this Expression expression) => expression switch
    {
        Literal literal => literal.Decimals > 0,
        Name => false,
        _ => expression.Parts.Any(HasDecimals),
    };

    /// <summary>The number alone, when it is nothing but a number with its sign.</summary>
    public static Literal? AsLiteral(this Expression expression) => expression switch
    {
        Literal literal => literal,
        Negation { Inner: Literal literal } => literal with { Value = -literal.Value },
        _ => null,
    };
}
