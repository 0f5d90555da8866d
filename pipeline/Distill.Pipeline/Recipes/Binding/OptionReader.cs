using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>One value of a recipe → the type of its option. Whatever is wrong is noted with the place, the value, the range and a
/// remedy.</summary>
/// <param name="path">Of the option.</param>
internal sealed partial class OptionReader(OptionDeclaration option, string path, ICollection<RecipeProblem> problems)
{
    private const int MostEntries = 64;

    /// <summary>What may be written, in words.</summary>
    public static string Expected(OptionDeclaration option) => option.Kind switch
    {
        _ when option.Attribute.Path == PathUse.Folder => "the path of a folder",
        _ when option.Attribute.Path == PathUse.Any => "the path of a file or folder",
        _ when option.Attribute.Path == PathUse.Files => "the path of a file",
        OptionKind.Integer => "a whole number",
        OptionKind.Number => "a number",
        OptionKind.Flag => "true or false",
        OptionKind.Word => "one of " + string.Join(", ", option.Words),
        OptionKind.Map => "names with single values",
        _ when option.Attribute.Listed => "a list of words",
        OptionKind.List => option.Attribute.Rows ? "a list of items, or the path of a JSONL file" : "a list of items",
        _ => "text",
    };

    /// <returns>Null when it cannot be read, which is noted.</returns>
    public object? Read(RecipeNode node)
    {
        if (option.Kind == OptionKind.Map) return Map(node);
        if (option.Attribute.Listed && node is RecipeSequence sequence && sequence.Items.All(item => item is RecipeScalar))
            return string.Join(", ", sequence.Items.Cast<RecipeScalar>().Select(item => item.Text));
        if (node is not RecipeScalar scalar) return Wrong(node, "not a single value", $"write {Expected(option)}");
        return option.Kind switch
        {
            OptionKind.Integer => Integer(scalar),
            OptionKind.Number => Number(scalar),
            OptionKind.Flag => Flag(scalar),
            OptionKind.Word => Word(scalar),
            _ => scalar.Text.Length <= option.Attribute.Longest ? scalar.Text
                : Wrong(scalar, "too long", $"at most {option.Attribute.Longest:N0} characters"),
        };
    }

    private object? Integer(RecipeScalar scalar)
    {
        long minimum = (long)option.Attribute.Minimum, maximum = (long)option.Attribute.Maximum;
        string digits = scalar.Text.Replace("_", "", StringComparison.Ordinal);
        if (scalar.Quoted || !long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
        {
            // 2e6 and 12.0 are whole numbers too; long.Parse does not think so.
            if (scalar.Quoted || !double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double real)
                || real != Math.Floor(real) || Math.Abs(real) > 9e15)
                return Wrong(scalar, "not a whole number", $"write one in {minimum:N0}..{maximum:N0}");
            value = (long)real;
        }

        if (value < minimum || value > maximum) return Wrong(scalar, "out of range", $"allowed: {minimum:N0}..{maximum:N0}");
        return option.ValueType == typeof(int) ? (object)(int)value : value;
    }

    private object? Number(RecipeScalar scalar)
    {
        var (minimum, maximum, above) = (option.Attribute.Minimum, option.Attribute.Maximum, option.Attribute.Above);
        string range = above ? $"more than {minimum}, at most {maximum}" : $"{minimum}..{maximum}";
        if (scalar.Quoted || !double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
            return Wrong(scalar, "not a number", $"write one, {range}");
        bool inside = (above ? value > minimum : value >= minimum) && value <= maximum;
        return inside ? value : Wrong(scalar, "out of range", $"allowed: {range}");
    }

    private object? Flag(RecipeScalar scalar) => !scalar.Quoted && scalar.Text is "true" or "false"
        ? scalar.Text == "true"
        : Wrong(scalar, "neither true nor false", "write true or false");

    private object? Word(RecipeScalar scalar) => option.Parse(scalar.Text)
        ?? Wrong(scalar, $"not one of {string.Join(", ", option.Words)}", Suggestion.Remedy(scalar.Text, option.Words));

    private object? Map(RecipeNode node)
    {
        if (node is not RecipeMapping mapping) return Wrong(node, "not a section", "write names with values under it, or leave it out");
        if (mapping.Entries.Count > MostEntries) return Wrong(node, "too many entries", $"allowed: at most {MostEntries}");
        var values = new Dictionary<string, JsonElement>();
        foreach (var (name, value) in mapping.Entries)
        {
            if (value is RecipeScalar scalar) values[name] = Element(scalar);
            else return new OptionReader(option, $"{path}.{name}", problems).Wrong(value, "not a single value",
                "write a flag, a number or text");
        }

        return values;
    }

    // What a template is told is what YAML's core schema reads.
    private static JsonElement Element(RecipeScalar scalar) => scalar switch
    {
        { IsNothing: true } => JsonSerializer.SerializeToElement<object?>(null),
        { Quoted: false, Text: "true" or "false" } => JsonSerializer.SerializeToElement(scalar.Text == "true"),
        { Quoted: false } when JsonNumber().IsMatch(scalar.Text) => JsonElement.Parse(scalar.Text),
        _ => JsonSerializer.SerializeToElement(scalar.Text),
    };

    private object? Wrong(RecipeNode node, string fault, string remedy)
    {
        problems.Add(new(path, node.Place, node.Shown, fault, remedy));
        return null;
    }

    [GeneratedRegex(@"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?$")]
    private static partial Regex JsonNumber();
}
