namespace Distill.Pipeline.Recipes;

/// <summary>Reads recipes: YAML text and <c>--set</c> overrides → one valid, complete <see cref="Recipe"/>, or every problem at once.</summary>
public static class RecipeFile
{
    private static readonly string[] Kinds = ["distill", "pretrain"];

    /// <exception cref="InvalidRecipeException">The file is absent, is not YAML, or describes something impossible.</exception>
    public static Recipe Load(string file, IEnumerable<string>? overrides = null)
    {
        if (!File.Exists(file))
            throw new InvalidRecipeException(file, [new("", "", "", "there is no such file", "give the path of a recipe, e.g. recipes/quickstart.yaml")]);
        if (new FileInfo(file).Length > 1 << 20)
            throw new InvalidRecipeException(file, [new("", "", "", "larger than 1 MiB", "give the path of a recipe")]);
        return Parse(File.ReadAllText(file), file, Path.GetDirectoryName(Path.GetFullPath(file))!, overrides);
    }

    /// <param name="folder">What relative paths in the recipe are relative to.</param>
    public static Recipe Parse(string text, string file, string folder, IEnumerable<string>? overrides = null)
    {
        var problems = new List<RecipeProblem>();
        var tree = RecipeOverrides.Apply(RecipeYaml.Parse(text, file), overrides ?? [], problems);
        var root = SectionReader.Root(tree, folder, problems);
        string kind = root.Has("kind") ? root.Word("kind", Kinds) : "distill";
        Recipe recipe = kind == "pretrain" ? PretrainRecipe.Bind(root, folder) : DistillationRecipe.Bind(root);
        return problems.Count == 0 ? recipe : throw new InvalidRecipeException(file, [.. problems.OrderBy(LineOf)]);
    }

    // What is absent has no line and comes last.
    private static int LineOf(RecipeProblem problem) =>
        problem.Place.StartsWith("line ", StringComparison.Ordinal) ? int.Parse(problem.Place.AsSpan(5)) : int.MaxValue;

    /// <summary><see cref="Load"/> for a command that runs only one kind.</summary>
    /// <exception cref="InvalidRecipeException">Also when the recipe is of another kind.</exception>
    public static T Load<T>(string file, IEnumerable<string>? overrides = null)
        where T : Recipe
    {
        var recipe = Load(file, overrides);
        if (recipe is T wanted) return wanted;
        string command = recipe is PretrainRecipe ? "distill pretrain" : "distill run";
        throw new InvalidRecipeException(file, [new("kind", "", "", "another kind of recipe", $"run it with '{command}'")]);
    }
}
