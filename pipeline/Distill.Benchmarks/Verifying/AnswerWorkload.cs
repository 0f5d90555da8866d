using System.Globalization;
using Distill.Verification;

namespace Distill.Benchmarks.Verifying;

/// <summary>An answer as a model ends with it, and what it is compared with.</summary>
internal sealed record JudgedAnswer(string ReferenceAnswer, string Text) : IVerifiable
{
    string IVerifiable.Text => "";

    public string Signature => "";

    public IReadOnlyList<string> Choices => [];
}

/// <summary>Answers in the forms that models write; every second one is right.</summary>
internal static class AnswerWorkload
{
    private static readonly string[] NumberForms =
    [
        "{0}", "\\boxed{{{0}}}", "So there are {0} in all.\n#### {0}", "The answer is {0}.", "\\boxed{{{0:N0}}}", "**Answer:** {0} apples",
        "\\boxed{{{0}.0}}", "\\boxed{{\\frac{{{1}}}{{2}}}}",
    ];

    // Reference and answer; {0} to {2} are numbers, and {3} is their first or, where the answer is to be wrong, one more.
    private static readonly (string Gold, string Answer)[] LatexForms =
    [
        ("\\frac{{{0}\\sqrt{{2}}}}{{{1}}}", "\\frac{{2\\cdot {3}}}{{{1}\\sqrt{{2}}}}"),
        ("x^2+{0}x+{1}", "{1}+{3}x+x^2"),
        ("({0},{1}]", "\\left({3},\\frac{{2\\cdot {1}}}{{2}}\\right]"),
        ("\\begin{{pmatrix}}{0}&{1}\\\\{2}&1\\end{{pmatrix}}", "\\begin{{bmatrix}} {3} & {1} \\\\ {2} & 1 \\end{{bmatrix}}"),
        ("{0}\\pi+\\sqrt{{{1}}}", "\\sqrt{{{1}}}+{3}\\pi"),
        ("(-\\infty,-{0})\\cup({1},\\infty)", "({1},\\infty)\\cup(-\\infty,-{3})"),
        ("\\frac{{x+{0}}}{{x-{1}}}", "-\\frac{{x+{3}}}{{{1}-x}}"),
        ("y={0}x+{1}", "{3}x-y+{1}=0"),
        ("{0}\\sin 2x", "2\\cdot {3}\\sin x\\cos x"),
        ("\\{{{0},-{1},{2}{2}{2}\\}}", "-{1}, {2}{2}{2}, {3}"),
    ];

    public static IReadOnlyList<JudgedAnswer> Hostile { get; } =
    [
        new("7", "9^{9^{9^{9}}}"), new("7", "(x+1)^{1000000}-(x+1)^{999999}"),
        new("x+1", "((x+1)^{100}+1)^{100}"), new("7", "\\sin(10^{20})!"),
        new("7", new string('(', 100_000) + "7" + new string(')', 100_000)), new("7", new string('9', 1_000_000)),
        new("7", string.Concat(Enumerable.Repeat("\\boxed{", 100_000))),
        new("7", string.Concat(Enumerable.Repeat("the answer is ", 70_000)) + "7"),
        new("x", "(x+y+z+w)^{190}"), new("x", string.Concat(Enumerable.Repeat("(x+1)", 700))),
    ];

    public static IReadOnlyList<JudgedAnswer> Numeric(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        int number = 11 + (i * 7_919 % 90_000);
        int given = i % 2 == 0 ? number : number + 1;
        string form = NumberForms[i / 2 % NumberForms.Length];
        return new JudgedAnswer(Text("{0}", number), Text(form, given, 2 * given));
    })];

    public static IReadOnlyList<JudgedAnswer> Latex(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var (gold, answer) = LatexForms[i / 2 % LatexForms.Length];
        int[] numbers = [2 + (i % 17), 3 + (i % 13), 2 + (i % 7)];
        object[] values = [numbers[0], numbers[1], numbers[2], i % 2 == 0 ? numbers[0] : numbers[0] + 1];
        return new JudgedAnswer(Text(gold, values), $"\\boxed{{{Text(answer, values)}}}");
    })];

    private static string Text(string form, params object[] values) => string.Format(CultureInfo.InvariantCulture, form, values);
}
