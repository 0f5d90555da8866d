using System.Text;
using System.Text.Json;

namespace Distill.Tokenization.Files;

/// <summary>What is used of tokenizer_config.json.</summary>
/// <param name="ChatTemplates">By name; one without a name is "default".</param>
internal sealed record TokenizerConfig(
    string? BeginToken, string? EndToken, string? PadToken, IReadOnlyDictionary<string, string> ChatTemplates)
{
    private const string FileName = "tokenizer_config.json";

    public static TokenizerConfig Empty { get; } = new(null, null, null, new Dictionary<string, string>());

    /// <summary>Everything null where the folder has no such file.</summary>
    public static TokenizerConfig Load(string folder) =>
        File.Exists(Path.Combine(folder, FileName)) ? BoundedFile.Read(folder, FileName, Parse) : Empty;

    private static TokenizerConfig Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = Json.Parse(utf8);
        var root = document.RootElement;
        return new TokenizerConfig(Token(root, "bos_token"), Token(root, "eos_token"), Token(root, "pad_token"),
            TemplateFiles.Named(root.Optional("chat_template")));
    }

    /// <summary>A token is a string, or an object with its <c>content</c>.</summary>
    private static string? Token(JsonElement root, string name) => root.Optional(name) is { } value
        ? (value.ValueKind == JsonValueKind.Object ? value.Required("content") : value).Text(name)
        : null;
}

/// <summary>Where a model folder keeps its chat templates: Jinja files, or JSON with one template or several named ones.</summary>
internal static class TemplateFiles
{
    public const string Default = "default";
    public const string JinjaName = "chat_template.jinja";
    private const string JsonName = "chat_template.json";
    private const string MoreFolder = "additional_chat_templates";
    private const int Most = 64;

    /// <summary>
    /// Templates by name. As in transformers the files win over tokenizer_config.json as a whole; only a default that they lack is taken
    /// from there.
    /// </summary>
    /// <exception cref="InvalidDataException">A file cannot be used; says which.</exception>
    public static IReadOnlyDictionary<string, string> Read(string folder)
    {
        var templates = JinjaFiles(folder);
        if (!templates.ContainsKey(Default) && File.Exists(Path.Combine(folder, JsonName)))
            Add(templates, BoundedFile.Read(folder, JsonName, Parse));
        if (!templates.ContainsKey(Default)) Add(templates, TokenizerConfig.Load(folder).ChatTemplates);
        return templates;
    }

    /// <summary>A template as a text, a list of objects with <c>name</c> and <c>template</c>, or an object of named texts.</summary>
    public static Dictionary<string, string> Named(JsonElement? value) => value switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => Distinct(list.EnumerateArray()
            .Select(t => KeyValuePair.Create(t.Required("name").Text("name"), t.Required("template").Text("template")))),
        { ValueKind: JsonValueKind.Object } names => Distinct(names.EnumerateObject()
            .Select(t => KeyValuePair.Create(t.Name, t.Value.Text(t.Name)))),
        { } text => new() { [Default] = text.Text("chat_template") },
    };

    private static Dictionary<string, string> Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = Json.Parse(utf8);
        var root = document.RootElement;
        return Named(root.ValueKind == JsonValueKind.Object ? root.Optional("chat_template") : root);
    }

    private static Dictionary<string, string> JinjaFiles(string folder)
    {
        var templates = new Dictionary<string, string>();
        if (File.Exists(Path.Combine(folder, JinjaName))) templates[Default] = ReadText(folder, JinjaName);
        string more = Path.Combine(folder, MoreFolder);
        if (!Directory.Exists(more)) return templates;
        string[] files = [.. Directory.EnumerateFiles(more, "*.jinja").Order(StringComparer.Ordinal).Take(Most + 1)];
        if (files.Length > Most) throw new InvalidDataException($"{more}: more than {Most} templates");
        foreach (string file in files) templates.TryAdd(Path.GetFileNameWithoutExtension(file), ReadText(more, Path.GetFileName(file)));
        return templates;
    }

    private static string ReadText(string folder, string name) =>
        BoundedFile.Read(folder, name, bytes => Encoding.UTF8.GetString(bytes.Span));

    private static Dictionary<string, string> Distinct(IEnumerable<KeyValuePair<string, string>> named)
    {
        var templates = new Dictionary<string, string>();
        foreach (var (name, template) in named)
        {
            if (!templates.TryAdd(name, template)) throw new InvalidDataException($"'chat_template' names '{name}' twice");
            if (templates.Count > Most) throw new InvalidDataException($"'chat_template' has more than {Most} templates");
        }
        return templates;
    }

    private static void Add(Dictionary<string, string> templates, IReadOnlyDictionary<string, string> others)
    {
        bool none = templates.Count == 0;
        foreach (var (name, template) in others)
            if (none || name == Default) templates.TryAdd(name, template);
    }
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
