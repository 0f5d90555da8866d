using System.Globalization;
using Distill.Data.Verification;

namespace Distill.Data.Problems.Arithmetic;

/// <summary>
/// Nested expressions of 2, 3 and 4 operations (levels 1 to 3), e.g. <c>compute ( 7 + 5 ) * 3 - 4 .</c>, solved one operation at a time.
/// No unsatisfiable twins: every expression has a value.
/// </summary>
internal sealed class ArithmeticFamily : ProblemFamily<ArithmeticContent>
{
    private static readonly string[] Phrasings = ["compute {0} .", "what is {0} ?", "find {0} ."];

    public override string Name => "arithmetic";

    public override string Domain => "arithmetic";

    public override IVerifier Verifier { get; } = new IntegerVerifier();

    protected override ArithmeticContent? Draw(RandomSource random, int level)
    {
        var expression = DrawTree(random, operations: level + 1);
        return ArithmeticSteps.AllSingle(expression)
            ? new ArithmeticContent(expression, random.Pick(Phrasings), Surroundings.Draw(random, []))
            : null;
    }

    protected override ArithmeticContent? Perturb(ArithmeticContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => Renumbered(original, random),
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        _ => null,
    };

    protected override string Signature(ArithmeticContent content) =>
        $"arithmetic:{content.Expression.Text.Replace(" ", "", StringComparison.Ordinal)}";

    protected override Wording Word(ArithmeticContent content) => new(
        content.Surroundings.Around(content.Phrasing.Replace("{0}", content.Expression.Text, StringComparison.Ordinal)),
        string.Join(" ; ", ArithmeticSteps.Of(content.Expression)),
        content.Expression.Value.ToString(CultureInfo.InvariantCulture));

    protected override string DrawFact(RandomSource random) => ArithmeticSteps.DrawFact(random, "+-*");

    private static Expression DrawTree(RandomSource random, int operations)
    {
        if (operations == 0)
            return new Number(random.Between(1, 20));
        var op = "++--**"[random.Below(6)];
        var leftOperations = random.Below(operations);
        return new Operation(op, Operand(random, op, leftOperations), Operand(random, op, operations - 1 - leftOperations));
    }

    private static Expression Operand(RandomSource random, char op, int operations) =>
        operations == 0 ? new Number(DrawNumber(random, op)) : DrawTree(random, operations);

    private static int DrawNumber(RandomSource random, char op) => op == '*' ? random.Between(2, 9) : random.Between(1, random.Chance(80) ? 20 : 60);

    private static ArithmeticContent? Renumbered(ArithmeticContent original, RandomSource random)
    {
        var expression = Renumbered(original.Expression, '+', random);
        return ArithmeticSteps.AllSingle(expression) && expression != original.Expression
            ? original with { Expression = expression }
            : null;
    }

    private static Expression Renumbered(Expression expression, char parent, RandomSource random) => expression is Operation operation
        ? operation with
        {
            Left = Renumbered(operation.Left, operation.Operator, random),
            Right = Renumbered(operation.Right, operation.Operator, random),
        }
        : new Number(DrawNumber(random, parent));
}
