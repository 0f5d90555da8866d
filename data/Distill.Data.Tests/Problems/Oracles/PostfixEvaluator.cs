namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>Dijkstra's shunting yard: evaluates spaced infix text without a tree, and notes every operation in the order it is done.</summary>
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
