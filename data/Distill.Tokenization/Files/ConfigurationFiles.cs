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

/// <summary>Reads which ids end a reply, as a model's configuration says: <c>eos_token_id</c>, a number or a list.</summary>
internal static class EndTokenFiles
{
    private const int Most = 256;
    // What generation uses wins over what the architecture was trained with.
    private static readonly string[] s_names = ["generation_config.json", "config.json"];

    /// <summary>The ids of the first file that names some, in its order; empty where none does.</summary>
    /// <exception cref="InvalidDataException">A file is no JSON, or names what cannot be an id; says which file.</exception>
    public static IReadOnlyList<int> Read(string folder)
    {
        foreach (string name in s_names)
            if (File.Exists(Path.Combine(folder, name)) && BoundedFile.Read(folder, name, Parse) is { Count: > 0 } ids) return ids;
        return [];
    }

    private static List<int> Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = Json.Parse(utf8);
        if (document.RootElement.Optional("eos_token_id") is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) return [Id(value)];
        if (value.GetArrayLength() > Most) throw new InvalidDataException($"'eos_token_id' lists more than {Most} ids");
        return [.. value.EnumerateArray().Select(Id)];
    }

    private static int Id(JsonElement value) => value.Integer("eos_token_id") is >= 0 and < TokenizerLimits.Tokens and var id
        ? id
        : throw new InvalidDataException($"'eos_token_id' must be 0 to {TokenizerLimits.Tokens - 1}");
}
