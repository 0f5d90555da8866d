using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes;

/// <summary>
/// The tables of <c>docs/recipes.md</c>, from the declarations. A table stands between two comments, of which the first names what it
/// shows:
/// <c>&lt;!-- options: distill/sft --&gt;</c> … <c>&lt;!-- end --&gt;</c>, several sections separated by commas, the entries
/// of a list by <c>distill/problems.sources[]</c>, what is left out of them after a minus (<c>-sft.held_out.*</c>).
/// </summary>
internal static partial class RecipeReference
{
    private const string Items = "[]";

    private const string Heading = "| key | default | allowed | meaning |\n|---|---|---|---|\n";

    /// <summary>A text with its tables made anew.</summary>
    /// <param name="others">Other kinds of files that are declared in the same way, by the word before the slash.</param>
    /// <exception cref="InvalidDataException">A comment names no section.</exception>
    public static string Fill(string text, IReadOnlyDictionary<string, SectionDeclaration>? others = null) =>
        Marked().Replace(text, found =>
            $"{found.Groups["begin"].Value}\n{Table(found.Groups["what"].Value, others)}{found.Groups["end"].Value}");

    /// <summary>Every key of both kinds of recipe, with the kind before it: <c>distill/sft.epochs</c>.</summary>
    public static IReadOnlyList<string> Keys() =>
        [.. ((string[])[RecipeFile.Distill, RecipeFile.Pretrain]).SelectMany(kind =>
            Rows(Root(kind)!, "").Select(row => $"{kind}/{row.Path}"))];

    private static string Table(string what, IReadOnlyDictionary<string, SectionDeclaration>? others)
    {
        string[] words = what.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var without = words.Where(word => word[0] == '-').Select(word => word[1..]).ToHashSet();
        var text = new StringBuilder(Heading);
        foreach (string word in words.Where(word => word[0] != '-'))
        {
            foreach (var (path, option) in Named(word, others).Where(row => !without.Any(name => IsLeftOut(row.Path, name))))
            {
                string cells = $"`{path}` | {Default(option)} | {Allowed(option)} | {option.Attribute.Meaning}";
                text.Append("| ").Append(cells).Append(" |\n");
            }
        }

        return text.ToString();
    }

    /// <param name="word">E.g. <c>distill/sft</c>.</param>
    private static List<(string Path, OptionDeclaration Option)> Named(
        string word, IReadOnlyDictionary<string, SectionDeclaration>? others)
    {
        string[] parts = word.Split('/');
        if (parts.Length != 2 || (Root(parts[0]) ?? others?.GetValueOrDefault(parts[0])) is not { } root)
            throw new InvalidDataException($"'{word}' is not kind/section.");
        if (parts[1].EndsWith(Items, StringComparison.Ordinal)) return ItemsOf(parts[0], root, parts[1][..^Items.Length]);
        var rows = Rows(root, "")
            .Where(row => row.Path == parts[1] || row.Path.StartsWith(parts[1] + ".", StringComparison.Ordinal)).ToList();
        return rows.Count > 0 ? rows : throw new InvalidDataException($"There is no '{parts[1]}' in a recipe of kind {parts[0]}.");
    }

    // The keys of a list's entries, which have no path of their own.
    private static List<(string Path, OptionDeclaration Option)> ItemsOf(string kind, SectionDeclaration root, string list) =>
        Rows(root, "").FirstOrDefault(row => row.Path == list).Option is { Kind: OptionKind.List } found
            ? [.. Rows(SectionDeclaration.Of(found.ItemType), "")]
            : throw new InvalidDataException($"'{list}' is no list in a recipe of kind {kind}.");

    private static bool IsLeftOut(string path, string pattern) =>
        pattern.EndsWith('*') ? path.StartsWith(pattern[..^1], StringComparison.Ordinal) : path == pattern;

    private static SectionDeclaration? Root(string kind) => kind switch
    {
        RecipeFile.Distill => SectionDeclaration.Of(typeof(DistillationRecipe)),
        RecipeFile.Pretrain => SectionDeclaration.Of(typeof(PretrainRecipe)),
        _ => null,
    };

    // A section that takes its values from another has that one's keys, which are said once; only whether it is there is its own matter.
    private static IEnumerable<(string Path, OptionDeclaration Option)> Rows(SectionDeclaration section, string prefix)
    {
        foreach (var option in section.Options)
        {
            string path = prefix + option.Key;
            if (option.Kind != OptionKind.Section)
            {
                yield return (path, option);
                continue;
            }

            if (option.Attribute.From is not null || option.Default is null) yield return (path, option);
            if (option.Attribute.From is not null) continue;
            foreach (var row in Rows(SectionDeclaration.Of(option.ValueType), path + ".")) yield return row;
        }
    }

    // The key of a recipe whose section the items of a list are.
    private static string? AsSection(Type item) =>
        Root(RecipeFile.Distill)!.Options.FirstOrDefault(option => option.Kind == OptionKind.Section && option.ValueType == item)?.Key;

    private static string Default(OptionDeclaration option) => option switch
    {
        { Attribute.Required: true } => "required",
        { Attribute.Default: { } words } => words,
        { Attribute.From: { } from, Kind: OptionKind.Section } => $"those of `{from}`",
        { Attribute.From: { } from } => $"that of `{from}`",
        { Default: double value } => ((decimal)value).ToString(CultureInfo.InvariantCulture),
        { Default: bool flag } => flag ? "true" : "false",
        { Default: Enum word } => OptionDeclaration.Spell(word),
        { Default: { } value } => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        _ => "none",
    };

    private static string Allowed(OptionDeclaration option)
    {
        var attribute = option.Attribute;
        string unit = attribute.Unit is { } counted ? " " + counted : "";
        return option.Kind switch
        {
            OptionKind.Integer when attribute.Maximum >= long.MaxValue => "a whole number, not negative",
            OptionKind.Integer or OptionKind.Number =>
                (attribute.Above ? $"above {Shown(attribute.Minimum)}, to " : $"{Shown(attribute.Minimum)} to ")
                + Shown(attribute.Maximum) + unit,
            OptionKind.Flag => "true, false",
            OptionKind.Word => string.Join(", ", option.Words.Select(word => $"`{word}`")),
            OptionKind.List when AsSection(option.ItemType) is { } section => $"a list, each with the keys of `{section}`",
            OptionKind.List => $"a list of {{ {string.Join(", ", SectionDeclaration.Of(option.ItemType).Options.Select(item =>
                item.Key))} }}" + (attribute.Rows ? ", or a JSONL file of them" : ""),
            OptionKind.Map => "names with values",
            OptionKind.Section => "a section",
            OptionKind.Text when attribute.Path == PathUse.Any => "a file or folder",
            OptionKind.Text when attribute.Path == PathUse.Files => "a file or pattern",
            OptionKind.Text when attribute.Listed => "a list of words",
            OptionKind.Text when attribute.Path != PathUse.None => "a folder",
            _ => "text",
        };
    }

    private static string Shown(double value) =>
        value == Math.Floor(value) ? value.ToString("N0", CultureInfo.InvariantCulture) : value.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<begin><!-- options: (?<what>[^\n]+?) -->)\n(?:\|[^\n]*\n)*(?<end><!-- end -->)")]
    private static partial Regex Marked();
}
