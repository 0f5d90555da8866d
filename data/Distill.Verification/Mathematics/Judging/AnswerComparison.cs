using Distill.Verification.Mathematics.Numbers;
using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Mathematics.Judging;

/// <summary>
/// Whether an answer says what the reference says. Forgiven are other spellings of one value and what was left out: a unit, a sign of
/// percent, degree or money, a variable, parentheses. A wrong one is not. One comparison, one thread.
/// </summary>
/// <param name="speaksOfRatios">Whether the problem does: then 3:20 is a ratio, and no time of day.</param>
/// <param name="speaksOfBases">Whether the problem does: then the reference may have left its base out.</param>
internal sealed partial class AnswerComparison(WorkBudget budget, bool speaksOfRatios, bool speaksOfBases)
{
    private readonly NumberComparison numbers = new(budget);

    /// <returns>Null when it cannot be told within the limits, or the reference has no value.</returns>
    public bool? Same(AnswerValue gold, AnswerValue answer)
    {
        if (!budget.Spend(10)) return null;
        return (gold, answer) switch
        {
            (Assignment first, Assignment second) => SameNamed(first, second),
            (Assignment { Equation: { } first }, Relation second) => SameRelation(first, second),
            (Assignment first, _) => IsConsistent(first) is true ? Same(first.Value, answer) : null,
            (Relation first, Assignment { Equation: { } second }) => SameRelation(first, second),
            (_, Assignment second) => SameUnnamed(gold, second),
            (Relation first, Relation second) => SameRelation(first, second),
            (Relation first, _) => Intervals.Of(first, budget) is { } set ? Same(set.Set, answer) : false,
            (_, Relation second) => SameAsRelation(gold, second),
            (Quantity first, Quantity second) => SameQuantity(first, second),
            (Words first, Words second) => first.Text == second.Text,
            (Words words, Quantity { Value: Name name }) => IsLetter(words, name),
            (Quantity { Value: Name name }, Words words) => IsLetter(words, name),
            (Group first, Group second) => SameGroup(first, second),
            (Group { Kind: not GroupKind.Bracketed, Items: [var item] }, Quantity) => Same(item, answer),
            (Quantity, Group { Kind: not GroupKind.Bracketed, Items: [var item] }) => Same(gold, item),
            (SetOperation first, SetOperation second) => SameOperation(first, second),
            (Matrix first, Matrix second) => SameMatrix(first, second),
            (Matrix matrix, Group { Kind: GroupKind.Bracketed } point) => SamePoint(Vector(matrix), point),
            (Group { Kind: GroupKind.Bracketed } point, Matrix matrix) => SamePoint(point, Vector(matrix)),
            (Ratio first, Ratio second) => SameRatio(first, second),
            (Ratio { Parts: [var upper, var lower] } ratio, Quantity { Unit: null } second) when !IsClock(ratio) =>
                numbers.AreEqual(new Quotient(upper, lower), second.Value),
            (Quantity { Unit: null } first, Ratio { Parts: [var upper, var lower], IsClock: false }) =>
                numbers.AreEqual(first.Value, new Quotient(upper, lower)),
            (BasedNumber first, BasedNumber second) => Digits(first) == Digits(second) && first.Base == second.Base,
            (BasedNumber first, Quantity second) => Digits(first) == Digits(second),
            (Quantity first, BasedNumber second) => speaksOfBases && Digits(first) == Digits(second),
            _ => false,
        };
    }

    // Choices are written with letters of either case.
    private static bool IsLetter(Words words, Name name) => words.Text.Equals(name.Text, StringComparison.OrdinalIgnoreCase);

    private bool? SameNamed(Assignment gold, Assignment answer)
    {
        if (IsConsistent(gold) is not true) return null;
        if (IsConsistent(answer) is not true) return IsConsistent(answer);
        bool sameName = gold.Name == answer.Name || IsFunction(gold.Name) || IsFunction(answer.Name);
        bool? sameValue = sameName ? Same(gold.Value, answer.Value) : false;
        return sameValue != true && gold.Equation is { } first && answer.Equation is { } second ? SameRelation(first, second) : sameValue;
    }

    // f(x) = 3x and y = 3x are one answer.
    private static bool IsFunction(string name) => name.Length > 0 && name[^1] == ')' && name[0] != '(';

    // y = 3x + 11 answers "3x + 11"; x = 3x + 11 does not.
    private bool? SameUnnamed(AnswerValue gold, Assignment answer)
    {
        if (gold is Quantity quantity && quantity.Value.Variables().Contains(answer.Name)) return false;
        return IsConsistent(answer) is true ? Same(gold, answer.Value) : IsConsistent(answer);
    }

    /// <summary>Whether all values that x = 2·3 = 6 gives to x are one.</summary>
    private bool? IsConsistent(Assignment named)
    {
        if (named.Equation is not { Sides.Count: > 2 } chain) return true;
        for (int i = 2; i < chain.Sides.Count; i++)
            if (numbers.AreEqual(chain.Sides[1], chain.Sides[i]) is not true and var other) return other;
        return true;
    }

    private bool? SameRelation(Relation gold, Relation answer)
    {
        if (Intervals.Of(gold, budget) is { } first && Intervals.Of(answer, budget) is { } second)
            return first.Variable == second.Variable ? Same(first.Set, second.Set) : false;
        if (gold.Operators is not [var sign] || answer.Operators is not [var other]) return false;
        var (goldZero, answerZero) = (Difference(gold, sign), Difference(answer, other));
        if (sign is ">" or "≥") sign = Intervals.Turned(sign);
        if (other is ">" or "≥") other = Intervals.Turned(other);
        return sign == other ? new SymbolicComparison(budget).AreMultiples(goldZero, answerZero, sign is not ("=" or "≠")) : false;
    }

    // The side that is larger goes last, so that every inequality says that something is below zero.
    private static Sum Difference(Relation relation, string sign) => sign is ">" or "≥"
        ? new Sum([relation.Sides[1], new Negation(relation.Sides[0])])
        : new Sum([relation.Sides[0], new Negation(relation.Sides[1])]);

    private bool? SameAsRelation(AnswerValue gold, Relation answer)
    {
        if (Intervals.Of(answer, budget) is { } set) return gold is Quantity ? false : Same(gold, set.Set);
        // 2 + 3 = 5 is 5, where it is true.
        if (!answer.Operators.All(sign => sign == "=") || answer.Sides.Any(side => side.HasVariables())) return false;
        var chain = new Assignment("", new Quantity(answer.Sides[^1], null), answer with { Sides = [new Name("x"), .. answer.Sides] });
        return SameUnnamed(gold, chain);
    }

    private bool? SameQuantity(Quantity gold, Quantity answer)
    {
        var (first, second) = (gold.Unit, answer.Unit);
        if (gold.Value is Name letter && answer.Value is Name other && letter.Text.Length == 1
            && letter.Text.Equals(other.Text, StringComparison.OrdinalIgnoreCase)) return true;
        if (first is null != second is null) return numbers.AreEqual(gold.Value, answer.Value) is true || SameOtherwise(gold, answer)
            ? true
            : numbers.AreEqual(gold.Value, answer.Value);
        return first is null || first.Fits(second!) ? numbers.AreEqual(gold.Value, answer.Value) : false;
    }

    /// <summary>35 % is 0.35, and 30° is π/6, where only one side has the sign.</summary>
    private bool SameOtherwise(Quantity gold, Quantity answer)
    {
        if ((gold.Unit ?? answer.Unit) == Unit.Percent)
            return numbers.AreEqual(Bare(gold, Function.Percent), Bare(answer, Function.Percent)) is true;
        return (gold.Unit ?? answer.Unit) == Unit.Degree && HasPi(gold.Unit is null ? gold.Value : answer.Value)
            && numbers.AreEqual(Bare(gold, Function.Degree), Bare(answer, Function.Degree)) is true;
    }

    private static Expression Bare(Quantity quantity, Function function) =>
        quantity.Unit is null ? quantity.Value : new Call(function, quantity.Value);

    private static bool HasPi(Expression value) => value.All().Any(part => part is Name { Text: Name.Pi });

    private bool IsClock(Ratio ratio) => ratio.IsClock && (ratio.Half is not null || !speaksOfRatios);

    private bool? SameRatio(Ratio gold, Ratio answer)
    {
        if (gold.Parts.Count != answer.Parts.Count) return false;
        if (gold.Half is not null && answer.Half is not null && gold.Half != answer.Half) return false;
        for (int i = 0; i < gold.Parts.Count; i++)
        {
            bool? same = IsClock(gold)
                ? numbers.AreEqual(gold.Parts[i], answer.Parts[i])
                : numbers.AreEqual(new Quotient(gold.Parts[i], gold.Parts[0]), new Quotient(answer.Parts[i], answer.Parts[0]));
            if (same != true) return same;
        }

        // The signs of all parts at once cancel in quotients.
        return IsClock(gold) ? true : numbers.AreEqual(new Call(Function.Absolute, gold.Parts[0]), gold.Parts[0])
            == numbers.AreEqual(new Call(Function.Absolute, answer.Parts[0]), answer.Parts[0]);
    }

    private static string Digits(BasedNumber number) => number.Digits.TrimStart('0');

    private static string? Digits(Quantity quantity) =>
        quantity is { Unit: null, Value: Literal { Value: { IsInteger: true } value } } ? value.ToString() : null;
}
