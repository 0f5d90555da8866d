namespace Distill.Pipeline.Recipes;

/// <summary>A value of a recipe before it has a type. Immutable; a closed family of three.</summary>
/// <param name="Place">Where it was written: <c>line 12</c> or <c>--set</c>.</param>
/// <param name="Size">Nodes in it, itself included, aliases counted every time they are used.</param>
internal abstract record RecipeNode(string Place, int Size);

/// <param name="Quoted">Quoted text is never a number, a flag or nothing.</param>
internal sealed record RecipeScalar(string Text, bool Quoted, string Place) : RecipeNode(Place, 1)
{
    /// <summary>YAML's ways of writing nothing: the key counts as absent.</summary>
    public bool IsNothing => !Quoted && Text is "" or "~" or "null";
}

internal sealed record RecipeSequence(IReadOnlyList<RecipeNode> Items, string Place) : RecipeNode(Place, 1 + Items.Sum(item => item.Size));

/// <param name="Entries">In the order of the file; keys are unique.</param>
internal sealed record RecipeMapping(IReadOnlyList<KeyValuePair<string, RecipeNode>> Entries, string Place)
    : RecipeNode(Place, 1 + Entries.Sum(entry => 1 + entry.Value.Size))
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
        return new RecipeMapping(entries, Place);
    }
}
