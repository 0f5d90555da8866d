using System.Globalization;
using System.Text.Json;

namespace Distill.Pipeline.Recipes;

/// <summary>
/// Binds one mapping of a recipe to typed values. Every read notes its key as known; whatever is wrong is noted and a usable
/// value returned, so that one pass finds every problem. <see cref="Close"/> reports the keys nobody asked for.
/// </summary>
internal sealed class SectionReader(string path, RecipeNode? node, string folder, ICollection<RecipeProblem> problems)
{
    private readonly RecipeMapping mapping = node as RecipeMapping ?? new RecipeMapping([], "");
    private readonly List<string> known = [];

    /// <summary>Whether the recipe writes this section at all.</summary>
    public bool IsPresent { get; } = node is not null and not RecipeScalar { IsNothing: true };

    public static SectionReader Root(RecipeNode node, string folder, ICollection<RecipeProblem> problems) =>
        Create("", node, folder, problems);

    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether a key has a value; YAML's ways of writing nothing are none.</summary>
    public bool IsGiven(string key) => Find(key) is not null and not RecipeScalar { IsNothing: true };

    /// <summary>As the reads below, but null where the recipe says nothing: what an option did before it existed.</summary>
    public T? Optional<T>(string key, Func<SectionReader, string, T> read)
        where T : struct => IsGiven(key) ? read(this, key) : null;

    public int Integer(string key, int? fallback, int minimum, int maximum) => (int)Long(key, fallback, minimum, maximum);

    public long Long(string key, long? fallback, long minimum, long maximum)
    {
        if (Value(key, "a whole number", fallback is null) is not { } scalar) return fallback ?? minimum;
        string digits = scalar.Text.Replace("_", "", StringComparison.Ordinal);
        if (scalar.Quoted || !long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            // 2e6 and 12.0 are whole numbers too; long.Parse does not think so.
            if (scalar.Quoted || !double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double real)
                || real != Math.Floor(real) || Math.Abs(real) > 9e15)
                return Wrong(key, scalar, "not a whole number", $"write one in {minimum:N0}..{maximum:N0}", fallback ?? minimum);
            value = (long)real;
        }

        return value >= minimum && value <= maximum
            ? value
            : Wrong(key, scalar, "out of range", $"allowed: {minimum:N0}..{maximum:N0}", fallback ?? minimum);
    }

    /// <param name="above">The bound <paramref name="minimum"/> itself is not allowed.</param>
    public double Number(string key, double? fallback, double minimum, double maximum, bool above = false)
    {
        if (Value(key, "a number", fallback is null) is not { } scalar) return fallback ?? maximum;
        string range = above ? $"more than {minimum}, at most {maximum}" : $"{minimum}..{maximum}";
        if (scalar.Quoted || !double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
            return Wrong(key, scalar, "not a number", $"write one, {range}", fallback ?? maximum);
        bool inside = (above ? value > minimum : value >= minimum) && value <= maximum;
        return inside ? value : Wrong(key, scalar, "out of range", $"allowed: {range}", fallback ?? maximum);
    }

    public bool Flag(string key, bool fallback)
    {
        if (Value(key, "true or false", false) is not { } scalar) return fallback;
        return !scalar.Quoted && scalar.Text is "true" or "false"
            ? scalar.Text == "true"
            : Wrong(key, scalar, "neither true nor false", "write true or false", fallback);
    }

    public string Text(string key, string? fallback)
    {
        if (Value(key, "text", fallback is null) is not { } scalar) return fallback ?? "";
        return scalar.Text.Length <= 4096 ? scalar.Text : Wrong(key, scalar, "too long", "at most 4,096 characters", fallback ?? "");
    }

    /// <summary>One of an enum's names in snake case.</summary>
    public T Choice<T>(string key, T fallback)
        where T : struct, Enum
    {
        var names = Enum.GetValues<T>().ToDictionary(value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
        if (Value(key, "one of " + string.Join(", ", names.Keys), false) is not { } scalar) return fallback;
        return names.TryGetValue(scalar.Text, out var found)
            ? found
            : Wrong(key, scalar, $"not one of {string.Join(", ", names.Keys)}", Suggestion.Remedy(scalar.Text, names.Keys), fallback);
    }

    /// <summary>A word out of a list that only the running program knows, e.g. the registered families.</summary>
    public string Word(string key, IReadOnlyCollection<string> allowed)
    {
        if (Value(key, "one of " + string.Join(", ", allowed), true) is not { } scalar) return "";
        return allowed.Contains(scalar.Text)
            ? scalar.Text
            : Wrong(key, scalar, "not known", Suggestion.Remedy(scalar.Text, allowed), "");
    }

    /// <summary>A folder, relative to the recipe's own; it must hold <paramref name="files"/>. Gives the absolute path.</summary>
    public string Folder(string key, string remedy, params string[] files)
    {
        if (Value(key, "the path of a folder", true) is not { } scalar) return "";
        string full = Path.GetFullPath(scalar.Text, folder);
        if (!Directory.Exists(full)) return Wrong(key, scalar, $"there is no folder {full}", remedy, "");
        var missing = files.Where(file => !File.Exists(Path.Combine(full, file))).ToList();
        return missing.Count == 0 ? full : Wrong(key, scalar, $"{full} has no {string.Join(", ", missing)}", remedy, "");
    }

    public SectionReader Section(string key) => Create(Join(key), Find(key), folder, problems);

    public IReadOnlyList<SectionReader> List(string key, int maximum)
    {
        switch (Find(key))
        {
            case null or RecipeScalar { IsNothing: true }:
                return [];
            case RecipeSequence sequence when sequence.Items.Count <= maximum:
                return [.. sequence.Items.Select((item, index) => Create($"{Join(key)}[{index}]", item, folder, problems))];
            case RecipeSequence sequence:
                problems.Add(new(Join(key), sequence.Place, $"{sequence.Items.Count} items", "too many", $"allowed: 1..{maximum}"));
                return [];
            case var other:
                problems.Add(new(Join(key), other.Place, Shown(other), "not a list", "write items with '- '"));
                return [];
        }
    }

    /// <summary>Notes a combination of values that cannot work.</summary>
    public void Require(bool holds, string key, string fault, string remedy)
    {
        if (!holds) Refuse(key, fault, remedy);
    }

    /// <summary>Notes a fault of a value that may be a secret and is not repeated.</summary>
    public void Refuse(string key, string fault, string remedy, bool showsValue = true)
    {
        var found = mapping.Find(key);
        problems.Add(new(Join(key), found?.Place ?? "", found is null || !showsValue ? "" : Shown(found), fault, remedy));
    }

    /// <summary>Reports every key that was never asked for. Call once, after the last read.</summary>
    public void Close()
    {
        foreach (var (key, value) in mapping.Entries)
        {
            if (!known.Contains(key)) problems.Add(new(Join(key), value.Place, MayBeSecret(key) ? "" : Shown(value), "unknown key", Suggestion.Remedy(key, known)));
        }
    }

    // Somebody may have written the key itself: a message, and what logs it, is no place for it.
    private static bool MayBeSecret(string key) =>
        ((string[])["key", "secret", "password", "token", "auth", "credential"]).Any(word => key.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static SectionReader Create(string path, RecipeNode? node, string folder, ICollection<RecipeProblem> problems)
    {
        if (node is not (null or RecipeMapping or RecipeScalar { IsNothing: true }))
            problems.Add(new(path, node.Place, Shown(node), "not a section", "write keys under it, or leave it out"));
        return new SectionReader(path, node, folder, problems);
    }

    private RecipeNode? Find(string key)
    {
        if (!known.Contains(key)) known.Add(key);
        return mapping.Find(key);
    }

    private RecipeScalar? Value(string key, string kind, bool required)
    {
        switch (Find(key))
        {
            case null or RecipeScalar { IsNothing: true }:
                if (required && IsPresentOrRoot) problems.Add(new(Join(key), "", "", "missing", $"write {kind}"));
                return null;
            case RecipeScalar scalar:
                return scalar;
            case var other:
                problems.Add(new(Join(key), other.Place, Shown(other), "not a single value", $"write {kind}"));
                return null;
        }
    }

    // A section that is not a mapping has been reported already; its keys need no second message each.
    private bool IsPresentOrRoot => node is null or RecipeMapping or RecipeScalar { IsNothing: true };

    private T Wrong<T>(string key, RecipeScalar scalar, string fault, string remedy, T usable)
    {
        problems.Add(new(Join(key), scalar.Place, Shown(scalar), fault, remedy));
        return usable;
    }

    private string Join(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string Shown(RecipeNode node) => node switch
    {
        RecipeScalar { Text.Length: > 60 } scalar => scalar.Text[..57] + "...",
        RecipeScalar { Quoted: true } scalar => $"\"{scalar.Text}\"",
        RecipeScalar scalar => scalar.Text,
        RecipeSequence => "[...]",
        _ => "{...}",
    };
}
