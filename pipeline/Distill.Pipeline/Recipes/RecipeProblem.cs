using System.Globalization;
using System.Text;

namespace Distill.Pipeline.Recipes;

/// <summary>A recipe that cannot run. Lists everything that is wrong with it, not the first thing; the command line ends with 2.</summary>
public sealed class InvalidRecipeException : Exception
{
    internal InvalidRecipeException(string file, IReadOnlyList<RecipeProblem> problems)
        : base(Describe(file, problems)) => (File, Problems) = (file, problems);

    /// <summary>The recipe, as it was asked for.</summary>
    public string File { get; }

    internal IReadOnlyList<RecipeProblem> Problems { get; }

    private static string Describe(string file, IReadOnlyList<RecipeProblem> problems)
    {
        string count = problems.Count == 1 ? "1 problem" : $"{problems.Count} problems";
        return string.Join('\n', problems.Select(problem => "  " + problem).Prepend($"{RecipeProblem.Printable(file)}: {count}"));
    }
}

/// <summary>One thing wrong with a recipe, complete enough to be mended without opening the documentation. Fit to be printed: what a file
/// brings along of control characters is written out.</summary>
/// <param name="Path">Where in the recipe, e.g. <c>sft.learning_rate</c>; empty for the file as a whole.</param>
/// <param name="Place"><c>line 12</c>, <c>base.yaml line 12</c>, <c>--set</c>, or empty when the value is absent.</param>
/// <param name="Value">What was found there, shortened; empty when nothing was.</param>
/// <param name="Fault">What is wrong, with the allowed range.</param>
/// <param name="Remedy">What to do about it.</param>
internal sealed record RecipeProblem(string Path, string Place, string Value, string Fault, string Remedy)
{
    public string Path { get; init; } = Printable(Path);

    public string Place { get; init; } = Printable(Place);

    public string Value { get; init; } = Printable(Value);

    public string Fault { get; init; } = Printable(Fault);

    public string Remedy { get; init; } = Printable(Remedy);

    /// <summary>By file and line; what is absent has none and comes last.</summary>
    public static IReadOnlyList<RecipeProblem> Sorted(IEnumerable<RecipeProblem> problems) =>
        [.. problems.OrderBy(problem => problem.Place.Length == 0).ThenBy(problem => problem.FileAndLine.File, StringComparer.Ordinal)
            .ThenBy(problem => problem.FileAndLine.Line)];

    public override string ToString()
    {
        string where = Place.Length > 0 ? $"{Place}: " : "";
        string what = (Path.Length, Value.Length) switch
        {
            (0, _) => "",
            (_, 0) => $"{Path}: ",
            _ => $"{Path} = {Value}: ",
        };
        return $"{where}{what}{Fault}; {Remedy}";
    }

    /// <summary>Control characters, and those that turn the direction of a line, as their numbers.</summary>
    internal static string Printable(string text)
    {
        if (!text.Any(IsUnsafe)) return text;
        var safe = new StringBuilder();
        foreach (char c in text) _ = IsUnsafe(c) ? safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : safe.Append(c);
        return safe.ToString();
    }

    private static bool IsUnsafe(char c) =>
        char.IsControl(c) || c is >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069' or '\u2028' or '\u2029';

    private (string File, int Line) FileAndLine
    {
        get
        {
            int at = Place.LastIndexOf("line ", StringComparison.Ordinal);
            return at < 0 ? (Place, 0) : (Place[..at], int.Parse(Place.AsSpan(at + 5), CultureInfo.InvariantCulture));
        }
    }
}
