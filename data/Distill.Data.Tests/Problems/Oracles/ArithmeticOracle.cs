using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class ArithmeticOracle : Oracle
{
    public override bool Accepts(string text, string answer) =>
        PostfixEvaluator.Evaluate(Expression(text)).Value == StepText.Number(answer);

    public override bool IsUnsatisfiable(string text) => false;

    public override void CheckSteps(Problem problem)
    {
        var (value, steps, _) = PostfixEvaluator.Evaluate(Expression(problem.Text));
        StepText.Items(problem.ReferenceSolution!).ShouldBe(steps, problem.Id);
        steps.Count.ShouldBe(problem.Level + 1, problem.Id);
        value.ShouldBeInRange(0, 99, problem.Id);
    }

    public override bool IsTrue(string fact) => fact.Split(" first ") is [var expression, var step]
        ? PostfixEvaluator.Evaluate(expression).Steps[0] == step
        : StepText.Result(fact) is not null;

    private static string Expression(string text) => Question().Match(text).Groups[1].Value;

    [GeneratedRegex(@"(?:compute|what is|find) ([-+*() 0-9]+) [.?]")]
    private static partial Regex Question();
}

/// <summary>
/// Dijkstra's shunting yard: evaluates spaced infix text without a tree, and notes every operation in the order it is done.
/// </summary>
internal sealed class PostfixEvaluator
{
    private readonly Stack<int> values = new();
    private readonly Stack<string> operators = new();
    private readonly List<string> steps = [];
    private readonly List<int> numbers = [];

    private PostfixEvaluator()
    {
    }

    public static (int Value, IReadOnlyList<string> Steps, IReadOnlyList<int> Numbers) Evaluate(string expression)
    {
        var evaluator = new PostfixEvaluator();
        foreach (var token in expression.Split(' '))
            evaluator.Take(token);
        evaluator.ApplyWhile(_ => true);
        return (evaluator.values.Single(), evaluator.steps, evaluator.numbers);
    }

    private void Take(string token)
    {
        switch (token)
        {
            case "(":
                operators.Push(token);
                break;
            case ")":
                ApplyWhile(top => top != "(");
                operators.Pop();
                break;
            case "+" or "-" or "*":
                ApplyWhile(top => Rank(top) >= Rank(token));
                operators.Push(token);
                break;
            default:
                numbers.Add(StepText.Number(token));
                values.Push(numbers[^1]);
                break;
        }
    }

    private void ApplyWhile(Func<string, bool> condition)
    {
        while (operators.TryPeek(out var top) && condition(top))
        {
            var (right, left) = (values.Pop(), values.Pop());
            var value = operators.Pop() switch { "+" => left + right, "-" => left - right, _ => left * right };
            steps.Add($"{left} {top} {right} = {value}");
            values.Push(value);
        }
    }

    private static int Rank(string op) => op switch { "(" => 0, "*" => 2, _ => 1 };
}
