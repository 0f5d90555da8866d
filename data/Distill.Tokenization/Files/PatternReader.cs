using System.Text.Json;
using Distill.Tokenization.Patterns;

namespace Distill.Tokenization.Files;

/// <summary>Reads <c>{"String": …}</c> and <c>{"Regex": …}</c>.</summary>
internal static class PatternReader
{
    public static TextPattern Read(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object && element.OptionalText("Regex") is { } expression)
            return TextPattern.Expression(expression);
        return TextPattern.Literal((element.ValueKind == JsonValueKind.Object ? element.Required("String") : element).Text("pattern"));
    }
}
