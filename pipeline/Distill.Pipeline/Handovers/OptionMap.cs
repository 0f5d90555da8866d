using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Handovers;

/// <summary>How much of an option's meaning another trainer has.</summary>
internal enum OptionMatch
{
    Same,

    /// <summary>The same aim by other means; the note says what is not the same.</summary>
    Near,

    /// <summary>Nothing there does it, and what is trained is another thing without it.</summary>
    Missing,
}

/// <summary>An option of the recipe beside what another trainer has for it.</summary>
/// <param name="Ours">Its path in the recipe; empty for what the recipe has no option for.</param>
/// <param name="Value">As the recipe spells it.</param>
/// <param name="Theirs">Path in the trainer's configuration; null for <see cref="OptionMatch.Missing"/> and for what needs none.</param>
/// <param name="Note">What is not the same, or what to do; may be empty for <see cref="OptionMatch.Same"/>.</param>
internal sealed record MappedOption(string Ours, string Value, string? Theirs, JsonNode? TheirValue, OptionMatch Match, string Note);

/// <summary>
/// A recipe's options translated for another trainer: every one that decides what is trained stands here, whether it has a counterpart or
/// not. Filled by one thread, then read.
/// </summary>
internal sealed class OptionMap
{
    private readonly List<MappedOption> rows = [];

    /// <summary>In the order in which they were said.</summary>
    public IReadOnlyList<MappedOption> Rows => rows;

    /// <summary>What the trainer is told, by path.</summary>
    public JsonObject Configuration { get; } = [];

    /// <summary>The recipe's section, put before the options' names.</summary>
    public string Section { get; init; } = "";

    public void Same(string ours, object? value, string theirs, object? theirValue = null, string note = "") =>
        Add(ours, value, theirs, theirValue ?? value, OptionMatch.Same, note);

    public void Near(string ours, object? value, string? theirs, object? theirValue, string note) =>
        Add(ours, value, theirs, theirValue, OptionMatch.Near, note);

    /// <param name="remedy">What to write in the recipe instead.</param>
    public void Missing(string ours, object? value, string remedy) => Add(ours, value, null, null, OptionMatch.Missing, remedy);

    /// <summary>Something the trainer is told that the recipe has no option for.</summary>
    public void Fixed(string theirs, object? value, string note) => Add("", null, theirs, value, OptionMatch.Same, note);

    private void Add(string ours, object? value, string? theirs, object? theirValue, OptionMatch match, string note)
    {
        var node = Node(theirValue);
        string path = ours.Length == 0 || Section.Length == 0 || ours.Contains('.', StringComparison.Ordinal) ? ours : $"{Section}.{ours}";
        rows.Add(new MappedOption(path, value is null ? "" : Node(value)!.ToJsonString(CanonicalJson.Spelling).Trim('"'), theirs, node,
            match, note));
        if (theirs is not null) Set(theirs, node?.DeepClone());
    }

    private void Set(string path, JsonNode? value)
    {
        string[] names = path.Split('.');
        var at = Configuration;
        foreach (string name in names[..^1])
        {
            if (at[name] is not JsonObject inner) at[name] = inner = [];
            at = inner;
        }

        at[names[^1]] = value;
    }

    private static JsonNode? Node(object? value) => value switch
    {
        null => null,
        JsonNode node => node,
        string or bool or int or long => JsonValue.Create(value),
        // Shortest text that reads back as the same number, and never an integer's, which some readers would take for one.
        double number => JsonNode.Parse(Text(number)),
        Enum word => JsonValue.Create(OptionDeclaration.Spell(word)),
        IEnumerable<string> words => new JsonArray([.. words.Select(one => (JsonNode?)JsonValue.Create(one))]),
        _ => throw new ArgumentException($"Values of {value.GetType()} are not written.", nameof(value)),
    };

    private static string Text(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.All(c => char.IsAsciiDigit(c) || c == '-') ? text + ".0" : text;
    }
}
