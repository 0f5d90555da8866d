using System.Text.RegularExpressions;

namespace Distill.Data.Problems;

/// <summary>
/// A worked solution as somebody reads or learns it. A reference solution keeps its calculator marks (<c>&lt;&lt;48/2=24&gt;&gt;</c>),
/// which say how each number follows from others; whoever shows it or trains on it takes it from here.
/// </summary>
public static partial class SolutionText
{
    /// <summary>Without calculator marks; null where the problem has no solution.</summary>
    public static string? Of(Problem problem) => problem.ReferenceSolution is { } solution ? WithoutMarks(solution) : null;

    /// <summary>Without calculator marks: what stands between double angle brackets and holds an equals sign.</summary>
    public static string WithoutMarks(string solution) => CalculatorMark().Replace(solution, "");

    [GeneratedRegex("<<[^<>;\n]{1,200}=[^<>;\n]{1,200}>>", RegexOptions.CultureInvariant)]
    private static partial Regex CalculatorMark();
}
