namespace Distill.Pipeline.Recipes.Binding;

/// <summary>Where a piece of a recipe comes from.</summary>
/// <param name="Prefix">Put before the line: nothing for the recipe itself, the file's name for one that it extends.</param>
/// <param name="Folder">What relative paths are relative to.</param>
/// <param name="Former">The folder that a resolved recipe was written for, should it have been moved since; null: none.</param>
internal sealed record RecipeSource(string Prefix, string Folder, string? Former = null)
{
    /// <summary>Said in place of a line.</summary>
    public string? Fixed { get; init; }

    /// <summary>Told the full path of each further file before it is looked for; may refuse it with a fault.</summary>
    public Action<string>? Opening { get; init; }

    public string Place(long line) => Fixed ?? $"{Prefix}line {line}";
}

/// <summary>A value of a recipe before it has a type. Immutable; a closed family of three.</summary>
/// <param name="Place">Where it was written: <c>line 12</c>, <c>base.yaml line 12</c> or <c>--set</c>.</param>
/// <param name="Size">Nodes in it, itself included, aliases counted every time they are used.</param>
internal abstract record RecipeNode(string Place, RecipeSource Source, int Size)
{
    /// <summary>What a message shows of it.</summary>
    public string Shown => this switch
    {
        RecipeScalar { Text.Length: > 60 } scalar => scalar.Text[..57] + "...",
        RecipeScalar { Quoted: true } scalar => $"\"{scalar.Text}\"",
        RecipeScalar scalar => scalar.Text,
        RecipeSequence => "[...]",
        _ => "{...}",
    };

    /// <summary>YAML's ways of writing nothing: the key counts as absent.</summary>
    public bool IsNothing => this is RecipeScalar { Quoted: false, Text: "" or "~" or "null" };
}

/// <param name="Quoted">Quoted text is never a number, a flag or nothing.</param>
internal sealed record RecipeScalar(string Text, bool Quoted, string Place, RecipeSource Source) : RecipeNode(Place, Source, 1);

internal sealed record RecipeSequence(IReadOnlyList<RecipeNode> Items, string Place, RecipeSource Source)
    : RecipeNode(Place, Source, 1 + Items.Sum(item => item.Size));

/// <param name="Entries">In the order of the file; keys are unique.</param>
internal sealed record RecipeMapping(IReadOnlyList<KeyValuePair<string, RecipeNode>> Entries, string Place, RecipeSource Source)
    : RecipeNode(Place, Source, 1 + Entries.Sum(entry => 1 + entry.Value.Size))
{
    public RecipeNode? Find(string key)
    {
        foreach (var (name, value) in Entries)
        {
            if (name == key) return value;
        }

        return null;
    }

    /// <summary>This mapping with one key set, in its old place if it had one.</summary>
    public RecipeMapping With(string key, RecipeNode value)
    {
        var entries = Entries.ToList();
        int at = entries.FindIndex(entry => entry.Key == key);
        if (at < 0) entries.Add(new(key, value));
        else entries[at] = new(key, value);
        return this with { Entries = entries };
    }

    public RecipeMapping Without(string key) => this with { Entries = [.. Entries.Where(entry => entry.Key != key)] };

    /// <summary>This mapping under a later one: key by key, lists as a whole. What is written as nothing there is nothing again.</summary>
    public RecipeMapping Under(RecipeMapping later)
    {
        var merged = this;
        foreach (var (key, value) in later.Entries)
        {
            bool areSections = merged.Find(key) is RecipeMapping && value is RecipeMapping;
            merged = merged.With(key, areSections ? ((RecipeMapping)merged.Find(key)!).Under((RecipeMapping)value) : value);
        }

        return merged;
    }
}

/// <summary><c>--set path=value</c>: puts one YAML value at one path, <c>problems.families.0.level=2</c> included.</summary>
internal static class RecipeOverrides
{
    private const string Place = "--set";

    /// <summary>Applies the overrides in order; those that cannot be applied become problems.</summary>
    public static RecipeNode Apply(RecipeNode root, IEnumerable<string> overrides, ICollection<RecipeProblem> problems)
    {
        var source = root.Source with { Fixed = Place };
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
                // An empty value resets the key to its default.
                var value = equals == text.Length - 1
                    ? new RecipeScalar("", false, Place, source)
                    : RecipeYaml.Parse(text[(equals + 1)..], Place, source);
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
                var child = mapping.Find(path[at]) ?? new RecipeMapping([], Place, value.Source);
                return mapping.With(path[at], Put(child, path, at + 1, value));
            case RecipeSequence sequence when int.TryParse(path[at], out int index) && index >= 0 && index < sequence.Items.Count:
                var items = sequence.Items.ToArray();
                items[index] = Put(items[index], path, at + 1, value);
                return sequence with { Items = items };
            case { IsNothing: true }:
                return Put(new RecipeMapping([], Place, value.Source), path, at, value);
            default:
                string before = string.Join('.', path[..at]);
                string fault = node is RecipeSequence list ? $"'{before}' has items 0..{list.Items.Count - 1}"
                    : $"'{before}' is a single value";
                throw new InvalidRecipeException(Place, [new("", Place, "", $"{fault}; there is no '{path[at]}' in it", "check the path")]);
        }
    }
}
