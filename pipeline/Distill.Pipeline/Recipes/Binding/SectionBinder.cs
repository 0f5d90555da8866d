using System.Collections;
using Distill.Hub;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>
/// The tree of a recipe → typed sections, as their declarations say. Goes on after a fault, so that one pass finds every problem:
/// first what is given, then defaults, which may follow from what is given, then what must hold between values.
/// </summary>
/// <param name="root">What is filled.</param>
/// <param name="recipe">What defaults and rules ask; the root itself where that is a recipe.</param>
/// <param name="ownKeys">Keys of the root that are read elsewhere.</param>
internal sealed class SectionBinder(
    ISection root, Recipe recipe, ICollection<RecipeProblem> problems, HubPaths hub, IReadOnlyList<string> ownKeys)
{
    private const int MostItems = 64;

    private readonly List<BoundSection> bound = [];

    public SectionBinder(Recipe recipe, ICollection<RecipeProblem> problems, HubPaths hub)
        : this(recipe, recipe, problems, hub, RecipeFile.OwnKeys)
    {
    }

    /// <param name="Given">Properties that the recipe says something of.</param>
    /// <param name="Faulty">Of these, those that could not be read: the rules are not asked about a value that nobody wrote.</param>
    private sealed record BoundSection(ISection Section, string Path, RecipeNode? Node, bool Inherits, HashSet<string> Given,
        HashSet<string> Faulty);

    /// <summary>Fills the root and notes what is wrong with it.</summary>
    public void Bind(RecipeNode tree)
    {
        Fill(root, "", tree, null);
        foreach (var section in bound) Check(section);
    }

    private void Fill(ISection section, string path, RecipeNode? node, ISection? template)
    {
        if (node is not (null or RecipeMapping or { IsNothing: true }))
            problems.Add(new(path, node.Place, node.Shown, "not a section", "write keys under it, or leave it out"));
        var declaration = SectionDeclaration.Of(section);
        var mapping = node as RecipeMapping;
        var state = new BoundSection(section, path, node, template is not null, [], []);
        bound.Add(state);
        var values = declaration.Options.Where(option => option.Kind != OptionKind.Section).ToList();
        // The items of a recipe's own lists take what they are not given from its sections, as sections do from those before them.
        var last = values.Where(option => section is Recipe && option.Kind == OptionKind.List && IsGiven(mapping, option.Key)).ToList();
        foreach (var option in values.Except(last).Where(option => IsGiven(mapping, option.Key)))
            Read(state, option, mapping!.Find(option.Key)!);
        foreach (var option in values.Where(option => option.Attribute.Path != PathUse.None)) Resolve(state, option, mapping);
        foreach (var option in values.Except(last).Where(option => !state.Given.Contains(option.PropertyName)))
            Complete(state, option, template);
        foreach (var option in declaration.Options.Where(option => option.Kind == OptionKind.Section))
            FillInner(state, option, mapping, template);
        foreach (var option in last) Read(state, option, mapping!.Find(option.Key)!);
        foreach (var (key, value) in mapping?.Entries ?? []) RequireKnown(declaration, Join(path, key), key, value);
    }

    private void Read(BoundSection state, OptionDeclaration option, RecipeNode node)
    {
        state.Given.Add(option.PropertyName);
        string path = Join(state.Path, option.Key);
        object? value = option.Kind == OptionKind.List ? Items(option, path, node) : new OptionReader(option, path, problems).Read(node);
        if (value is null) state.Faulty.Add(option.PropertyName);
        else option.Set(state.Section, value);
    }

    private IList? Items(OptionDeclaration option, string path, RecipeNode node)
    {
        var items = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(option.ItemType))!;
        if (option.Attribute.Rows && node is RecipeScalar file)
        {
            if (RecipeRows.Read(file, path, problems) is not { } rows) return null;
            node = rows;
        }

        if (node is not RecipeSequence sequence)
        {
            problems.Add(new(path, node.Place, node.Shown, "not a list", "write items with '- '"));
            return null;
        }

        double most = Math.Min(MostItems, option.Attribute.Maximum);
        if (sequence.Items.Count > most)
        {
            problems.Add(new(path, node.Place, $"{sequence.Items.Count} items", "too many", $"allowed: 1..{most}"));
            return null;
        }

        foreach (var (index, item) in sequence.Items.Index())
        {
            var section = SectionDeclaration.Of(option.ItemType).Create();
            items.Add(section);
            Fill(section, $"{path}[{index}]", item, null);
        }

        return items;
    }

    private void Resolve(BoundSection state, OptionDeclaration option, RecipeMapping? mapping)
    {
        if (!state.Given.Contains(option.PropertyName) || state.Faulty.Contains(option.PropertyName)
            || !state.Section.IsPath(option.PropertyName)) return;
        var node = mapping!.Find(option.Key)!;
        string path = Join(state.Path, option.Key), written = (string)option.Get(state.Section)!;
        bool isModel = option.Attribute.Pulls != PulledModel.Traces;
        if (option.Attribute.Path is PathUse.Folder or PathUse.Any && RecipePath.IsOnHub(written, out string address)) Locate(address);
        else Take(RecipePath.Resolve(written, node.Source, option.Attribute));

        void Locate(string address)
        {
            if (!HubReference.TryParse(address, HubKind.Model, out var reference, out string wrong)) Take((written, wrong));
            else if (isModel && reference.Kind == HubKind.DataSet) Take((written, "a data set, where a model is needed"));
            else if (!isModel && reference.Kind != HubKind.DataSet)
                Take((written, "a model, where a data set is needed: hf://datasets/owner/name"));
            else if (hub.FolderOf(path, reference, option.Attribute.Pulls, node) is { } folder)
                Take(RecipePath.Resolve(folder, node.Source, option.Attribute));
            else state.Faulty.Add(option.PropertyName); // its rules are asked when it is here
        }

        void Take((string Full, string? Fault) found)
        {
            option.Set(state.Section, found.Full);
            if (found.Fault is null) return;
            state.Faulty.Add(option.PropertyName);
            problems.Add(new(path, node.Place, node.Shown, found.Fault, option.Attribute.Remedy));
        }
    }

    private void Complete(BoundSection state, OptionDeclaration option, ISection? template)
    {
        object? value = template is not null ? option.Get(template)
            : state.Section.DefaultOf(option.PropertyName, recipe) ?? Taken(option) ?? option.Default;
        option.Set(state.Section, value);
        // A section that is no mapping has been reported; its keys need no second message each.
        bool isWanted = option.Attribute.Required && template is null && (state.Node is null or RecipeMapping or { IsNothing: true });
        if (!isWanted) return;
        state.Faulty.Add(option.PropertyName);
        problems.Add(new(Join(state.Path, option.Key), "", "", "missing", $"write {OptionReader.Expected(option)}"));
    }

    /// <summary>The value that an option takes from an earlier one.</summary>
    private object? Taken(OptionDeclaration option)
    {
        if (option.Attribute.From is not { } path) return null;
        object? value = root;
        foreach (string key in path.Split('.'))
            value = value is ISection section ? SectionDeclaration.Of(section).Find(key)?.Get(section) : null;
        return value;
    }

    private void FillInner(BoundSection state, OptionDeclaration option, RecipeMapping? mapping, ISection? template)
    {
        bool isGiven = IsGiven(mapping, option.Key);
        if (isGiven) state.Given.Add(option.PropertyName);
        else if (template is not null || option.Default is null)
        {
            option.Set(state.Section, template is null ? null : option.Get(template));
            return;
        }

        var inner = SectionDeclaration.Of(option.ValueType).Create();
        option.Set(state.Section, inner); // before it is filled: its defaults may follow from this section
        Fill(inner, Join(state.Path, option.Key), isGiven ? mapping!.Find(option.Key) : null, Taken(option) as ISection);
    }

    private void RequireKnown(SectionDeclaration declaration, string path, string key, RecipeNode value)
    {
        if (declaration.Find(key) is not null) return;
        var known = declaration.Options.Select(option => option.Key).Concat(path == key ? ownKeys : []);
        problems.Add(new(path, value.Place, MayBeSecret(key) ? "" : value.Shown, "unknown key", Suggestion.Remedy(key, [.. known])));
    }

    private void Check(BoundSection state)
    {
        var declaration = SectionDeclaration.Of(state.Section);
        foreach (var rule in state.Section.Rules(recipe).Where(rule => !rule.Holds))
        {
            bool isOwn = !state.Inherits || state.Given.Contains(rule.Property) || rule.Others.Any(state.Given.Contains);
            if (!isOwn || state.Faulty.Contains(rule.Property) || (rule.IsUnused && !state.Given.Contains(rule.Property))) continue;
            var option = declaration[rule.Property];
            var found = (state.Node as RecipeMapping)?.Find(option.Key);
            problems.Add(new(Join(state.Path, option.Key), found?.Place ?? "", found is null || !rule.ShowsValue ? "" : found.Shown,
                rule.Fault, rule.Remedy));
        }
    }

    private static bool IsGiven(RecipeMapping? mapping, string key) => mapping?.Find(key) is { IsNothing: false };

    // Somebody may have written the key itself: a message, and what logs it, is no place for it.
    private static bool MayBeSecret(string key) =>
        ((string[])["key", "secret", "password", "token", "auth", "credential"]).Any(word =>
            key.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
