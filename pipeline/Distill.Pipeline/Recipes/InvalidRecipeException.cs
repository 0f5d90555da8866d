namespace Distill.Pipeline.Recipes;

/// <summary>A recipe that cannot run. Lists everything that is wrong with it, not the first thing; the command line ends with 2.</summary>
public sealed class InvalidRecipeException(string file, IReadOnlyList<RecipeProblem> problems)
    : Exception(Describe(file, problems))
{
    public string File { get; } = file;

    public IReadOnlyList<RecipeProblem> Problems { get; } = problems;

    private static string Describe(string file, IReadOnlyList<RecipeProblem> problems)
    {
        string heading = problems.Count == 1 ? $"{file}: 1 problem" : $"{file}: {problems.Count} problems";
        return string.Join('\n', problems.Select(problem => "  " + problem).Prepend(heading));
    }
}
