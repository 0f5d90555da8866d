using System.Text.Json.Nodes;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>A mapping of a recipe: the whole recipe or a part of it. Its keys are the properties with an <see
/// cref="OptionAttribute"/>.</summary>
internal interface ISection
{
    /// <summary>What an option is where the recipe says nothing of it; null: the property's initialiser.</summary>
    /// <param name="recipe">Filled as far as the sections before this one, and with what this one was given.</param>
    object? DefaultOf(string property, Recipe recipe) => null;

    /// <summary>What must hold between the values, whatever each of them is.</summary>
    IEnumerable<Rule> Rules(Recipe recipe) => [];

    /// <summary>Whether an option that may be a path is one here.</summary>
    bool IsPath(string property) => true;
}

/// <inheritdoc cref="ISection"/>
internal abstract record Section : ISection
{
    public virtual object? DefaultOf(string property, Recipe recipe) => null;

    public virtual IEnumerable<Rule> Rules(Recipe recipe) => [];

    public virtual bool IsPath(string property) => true;

    /// <summary>
    /// What of this section decides a result, as a part of a cache key. Values that are the property's initialiser are left out, so that
    /// a new option does not make a finished result old; so are paths, whose content is an input of its own.
    /// </summary>
    /// <param name="only">Names of properties, where a stage uses only some; none given: all.</param>
    internal JsonObject ToKey(Recipe recipe, params string[] only) => SectionJson.Key(this, recipe, only);
}

/// <summary>One thing that must hold in a section, beyond the range of each value.</summary>
/// <param name="Property">The option it is reported at.</param>
/// <param name="Fault">What is wrong when it does not hold.</param>
/// <param name="Remedy">What to do about it.</param>
internal sealed record Rule(string Property, bool Holds, string Fault, string Remedy)
{
    /// <summary>The option has no effect here: giving it is the fault, and it is written nowhere.</summary>
    public bool IsUnused { get; init; }

    /// <summary>False where the value may be a secret.</summary>
    public bool ShowsValue { get; init; } = true;

    /// <summary>Other options that the rule speaks of. Where all are taken from another section, that one reports it.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    public static Rule Require(bool holds, string property, string fault, string remedy, params string[] others) =>
        new(property, holds, fault, remedy) { Others = others };

    public static Rule Unused(bool unused, string property, string fault, string remedy) =>
        new(property, !unused, fault, remedy) { IsUnused = true };
}
