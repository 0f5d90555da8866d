namespace Distill.Pipeline.Recipes;

/// <summary><c>--set path=value</c>: puts one YAML value at one path, <c>problems.families.0.level=2</c> included.</summary>
internal static class RecipeOverrides
{
    private const string Place = "--set";

    /// <summary>Applies the overrides in order; those that cannot be applied become problems.</summary>
    public static RecipeNode Apply(RecipeNode root, IEnumerable<string> overrides, ICollection<RecipeProblem> problems)
    {
        foreach (string text in overrides)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                problems.Add(new("", Place, "", $"'{text}' is not path=value", "write for example --set sft.epochs=2"));
                continue;
            }

            try
            {
                var value = RecipeYaml.Parse(text[(equals + 1)..], Place, Place);
                // An empty value parses as an empty document: it resets the key to its default.
                if (equals == text.Length - 1) value = new RecipeScalar("", false, Place);
                root = Put(root, text[..equals].Trim().Split('.'), 0, value);
            }
            catch (InvalidRecipeException exception)
            {
                foreach (var problem in exception.Problems) problems.Add(problem with { Path = text[..equals] });
            }
        }

        return root;
    }

    private static RecipeNode Put(RecipeNode node, string[] path, int at, RecipeNode value)
    {
        if (at == path.Length) return value;
        switch (node)
        {
            case RecipeMapping mapping:
                var child = mapping.Find(path[at]) ?? new RecipeMapping([], Place);
                return mapping.With(path[at], Put(child, path, at + 1, value));
            case RecipeSequence sequence when int.TryParse(path[at], out int index) && index >= 0 && index < sequence.Items.Count:
                var items = sequence.Items.ToArray();
                items[index] = Put(items[index], path, at + 1, value);
                return new RecipeSequence(items, sequence.Place);
            case RecipeScalar { IsNothing: true }:
                return Put(new RecipeMapping([], Place), path, at, value);
            default:
                string before = string.Join('.', path[..at]);
                string fault = node is RecipeSequence list ? $"'{before}' has items 0..{list.Items.Count - 1}" : $"'{before}' is a single value";
                throw new InvalidRecipeException(Place, [new("", Place, "", $"{fault}; there is no '{path[at]}' in it", "check the path")]);
        }
    }
}
