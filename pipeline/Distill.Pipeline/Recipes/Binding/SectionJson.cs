using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>Sections as JSON in the recipe's spelling: with every value in use, or with what decides a result.</summary>
internal static class SectionJson
{
    /// <param name="path">Maps absolute paths, e.g. to relative ones.</param>
    public static JsonObject Full(ISection section, Recipe recipe, Func<string, string> path)
    {
        var unused = Unused(section, recipe);
        var node = new JsonObject();
        foreach (var option in SectionDeclaration.Of(section).Options)
        {
            if (option.Get(section) is not { } value || unused.Contains(option.PropertyName)) continue;
            if (value is ICollection { Count: 0 } && option.Default is ICollection { Count: 0 }) continue;
            bool isPath = option.Attribute.Path != PathUse.None && section.IsPath(option.PropertyName);
            if (isPath && value is string full)
            {
                if (full.Length == 0) continue; // a model that is left out
                value = path(full);
            }

            node[option.Key] = ToNode(value, inner => Full(inner, recipe, path));
        }

        return node;
    }

    /// <inheritdoc cref="Section.ToKey"/>
    public static JsonObject Key(ISection section, Recipe recipe, IReadOnlyList<string> only)
    {
        var declaration = SectionDeclaration.Of(section);
        foreach (string name in only) _ = declaration[name]; // a name that is none must not make a key that lacks it
        var unused = Unused(section, recipe);
        var node = new JsonObject();
        foreach (var option in declaration.Options)
        {
            bool belongs = option.Attribute is { DecidesResult: true } && !unused.Contains(option.PropertyName)
                && (only.Count == 0 || only.Contains(option.PropertyName))
                && !(option.Attribute.Path != PathUse.None && section.IsPath(option.PropertyName));
            if (!belongs || option.Get(section) is not { } value || value.Equals(option.Default)) continue;
            if (value is ICollection { Count: 0 } && option.Default is ICollection { Count: 0 }) continue;
            var written = ToNode(value, inner => Key(inner, recipe, []));
            // A section that is always there says nothing by being empty; one that may be absent says that it is not.
            if (option.Kind is OptionKind.Section or OptionKind.Map && option.Default is not null
                && ((JsonObject)written!).Count == 0) continue;
            node[option.Key] = written;
        }

        return node;
    }

    private static HashSet<string> Unused(ISection section, Recipe recipe) =>
        [.. section.Rules(recipe).Where(rule => rule is { IsUnused: true, Holds: false }).Select(rule => rule.Property)];

    private static JsonNode? ToNode(object value, Func<ISection, JsonObject> inner) => value switch
    {
        ISection section => inner(section),
        IReadOnlyDictionary<string, JsonElement> map =>
            new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, JsonSerializer.SerializeToNode(pair.Value)))),
        string text => text,
        IEnumerable list => new JsonArray([.. list.Cast<ISection>().Select(inner)]),
        Enum word => OptionDeclaration.Spell(word),
        _ => JsonSerializer.SerializeToNode(value, value.GetType()),
    };
}
