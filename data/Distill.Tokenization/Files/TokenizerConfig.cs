using System.Text.Json;

namespace Distill.Tokenization.Files;

/// <summary>What is used of tokenizer_config.json.</summary>
internal sealed record TokenizerConfig(string? BeginToken, string? EndToken, string? PadToken, string? ChatTemplate)
{
    private const string FileName = "tokenizer_config.json";

    public static TokenizerConfig Empty { get; } = new(null, null, null, null);

    /// <summary>Everything null where the folder has no such file.</summary>
    public static TokenizerConfig Load(string folder) =>
        File.Exists(Path.Combine(folder, FileName)) ? BoundedFile.Read(folder, FileName, Parse) : Empty;

    private static TokenizerConfig Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = Json.Parse(utf8);
        var root = document.RootElement;
        return new TokenizerConfig(Token(root, "bos_token"), Token(root, "eos_token"), Token(root, "pad_token"),
            Template(root.Optional("chat_template")));
    }

    /// <summary>A token is a string, or an object with its <c>content</c>.</summary>
    private static string? Token(JsonElement root, string name) => root.Optional(name) is { } value
        ? (value.ValueKind == JsonValueKind.Object ? value.Required("content") : value).Text(name)
        : null;

    /// <summary>A template is a string, or one named "default" in a list of named ones.</summary>
    private static string? Template(JsonElement? value) => value is not { ValueKind: JsonValueKind.Array } list
        ? value?.Text("chat_template")
        : list.EnumerateArray().Where(t => t.Required("name").Text("name") == "default")
            .Select(t => t.Required("template").Text("template")).FirstOrDefault();
}
