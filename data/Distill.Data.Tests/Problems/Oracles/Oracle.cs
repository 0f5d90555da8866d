using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>
/// What a family must be right about, worked out from the words of a problem alone by code that shares nothing with the family:
/// a family and its verifier can be wrong together, not with this one.
/// </summary>
internal abstract class Oracle
{
    private static readonly Dictionary<string, Oracle> All = new()
    {
        ["arithmetic"] = new ArithmeticOracle(),
        ["words"] = new WordsOracle(),
        ["countdown"] = new CountdownOracle(),
        ["knights"] = new KnightsOracle(),
        ["contradiction"] = new ContradictionOracle(),
        ["zebra"] = new ZebraOracle(),
        ["syllogisms"] = new SyllogismsOracle(),
        ["units"] = new UnitsOracle(),
        ["calendar"] = new CalendarOracle(),
        ["sequences"] = new SequencesOracle(),
        ["consistency"] = new ConsistencyOracle(),
    };

    /// <exception cref="KeyNotFoundException">A new family needs an oracle too.</exception>
    public static Oracle Of(string family) => All[family];

    public abstract bool Accepts(string text, string answer);

    /// <summary>No answer exists, or the statements contradict each other.</summary>
    public abstract bool IsUnsatisfiable(string text);

    /// <summary>Fails unless the reference solution is a gapless, true way to the reference answer.</summary>
    public abstract void CheckSteps(Problem problem);

    public abstract bool IsTrue(string fact);
}

/// <summary>Reads single operations such as <c>7 + 5 = 12</c>.</summary>
internal static partial class StepText
{
    public static string[] Items(string steps) => steps.Split(" ; ");

    public static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    public static int[] Numbers(string text) => text.Split(' ').Select(Number).ToArray();

    /// <returns>The result of a true operation; null when the text is none or is false.</returns>
    public static int? Result(string step)
    {
        if (Operation().Match(step) is not { Success: true, Groups: var groups })
            return null;
        var (left, right, result) = (Number(groups[1].Value), Number(groups[3].Value), Number(groups[4].Value));
        var isTrue = groups[2].Value switch
        {
            "+" => left + right == result,
            "-" => left - right == result,
            "*" => left * right == result,
            _ => right * result == left,
        };
        return isTrue ? result : null;
    }

    [GeneratedRegex(@"^(\d+) ([-+*/]) (\d+) = (\d+)$")]
    private static partial Regex Operation();
}
