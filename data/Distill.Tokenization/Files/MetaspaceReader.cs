using System.Text.Json;
using Distill.Tokenization.PreTokenizers;

namespace Distill.Tokenization.Files;

/// <summary>Reads what pre-tokenizer and decoder of type Metaspace have in common.</summary>
internal static class MetaspaceReader
{
    public static string Mark(JsonElement element)
    {
        string mark = element.OptionalText("replacement") ?? "▁";
        return mark.Length == 1 ? mark : throw new InvalidDataException("'replacement' of Metaspace must be one character");
    }

    /// <summary>Older files say <c>add_prefix_space</c> instead.</summary>
    public static PrependScheme Scheme(JsonElement element) => element.OptionalText("prepend_scheme") switch
    {
        null => element.Flag("add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never,
        "always" => PrependScheme.Always,
        "first" => PrependScheme.First,
        "never" => PrependScheme.Never,
        var other => throw new InvalidDataException($"'prepend_scheme' must be always, first or never, not '{other}'"),
    };
}
