using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

internal sealed partial class ArithmeticOracle : Oracle
{
    public override bool Accepts(string text, string answer) => PostfixEvaluator.Evaluate(Expression(text)).Value == StepText.Number(answer);

    public override bool IsUnsatisfiable(string text) => false;

    public override void CheckSteps(Problem problem)
    {
        var (value, steps, _) = PostfixEvaluator.Evaluate(Expression(problem.Text));
        StepText.Items(problem.ReferenceSolution!).ShouldBe(steps, problem.Id);
        steps.Count.ShouldBe(problem.Level + 1, problem.Id);
        value.ShouldBeInRange(0, 99, problem.Id);
    }

    public override bool IsTrue(string fact) => StepText.Result(fact) is not null;

    private static string Expression(string text) => Question().Match(text).Groups[1].Value;

    [GeneratedRegex(@"(?:compute|what is|find) ([-+*() 0-9]+) [.?]")]
    private static partial Regex Question();
}
