namespace Distill.Verification.Mathematics.Reading;

/// <summary>What an answer says. Immutable.</summary>
internal abstract record AnswerValue;

/// <summary>A number or another expression, with what it counts.</summary>
internal sealed record Quantity(Expression Value, Unit? Unit) : AnswerValue;

/// <summary>Words, folded.</summary>
internal sealed record Words(string Text) : AnswerValue;

internal enum GroupKind
{
    /// <summary>Parted by commas, "and" or "or", without brackets.</summary>
    List,

    /// <summary>In braces.</summary>
    Set,

    /// <summary>A point, an interval or a vector, by its brackets.</summary>
    Bracketed,
}

/// <param name="Brackets">The opening and the closing one; empty for lists and sets.</param>
internal sealed record Group(GroupKind Kind, string Brackets, IReadOnlyList<AnswerValue> Items) : AnswerValue
{
    public static Group EmptySet { get; } = new(GroupKind.Set, "", []);

    public static Group RealNumbers { get; } = new(GroupKind.Bracketed, "()", [Infinite(isNegative: true), Infinite(isNegative: false)]);

    public static Quantity Infinite(bool isNegative)
    {
        Expression infinity = new Name(Name.Infinity);
        return new(isNegative ? new Negation(infinity) : infinity, null);
    }
}

/// <summary>∪, ∩ or ∖ of sets.</summary>
internal sealed record SetOperation(string Operator, IReadOnlyList<AnswerValue> Items) : AnswerValue;

internal sealed record Matrix(IReadOnlyList<IReadOnlyList<AnswerValue>> Rows) : AnswerValue;

/// <summary>Equations and inequalities: sides with one operator between each two.</summary>
internal sealed record Relation(IReadOnlyList<Expression> Sides, IReadOnlyList<string> Operators) : AnswerValue;

/// <summary>A value with a name: <c>x = 5</c>, <c>S = \{1, 2\}</c>, <c>f(x) = 3x</c>.</summary>
internal sealed record Assignment(string Name, AnswerValue Value, Relation? Equation) : AnswerValue;

/// <summary>Numbers parted by colons: a ratio, or a time of day.</summary>
/// <param name="Half"><c>am</c> or <c>pm</c> where it was written.</param>
internal sealed record Ratio(IReadOnlyList<Expression> Parts, bool IsClock, string? Half) : AnswerValue;

/// <summary>Digits of a number in another base.</summary>
internal sealed record BasedNumber(string Digits, string Base) : AnswerValue;
