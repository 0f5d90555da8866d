using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Data.Tests.Problems.Oracles;

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
