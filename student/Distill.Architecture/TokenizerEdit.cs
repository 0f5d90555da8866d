using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Distill.Architecture;

/// <summary>
/// Changes the added tokens of a model folder's tokenizer files: tokenizer.json, and the copy of them that tokenizer_config.json keeps.
/// Everything else stays as it is. Not thread-safe.
/// </summary>
internal sealed partial class TokenizerEdit
{
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32, AllowDuplicateProperties = false };
    private static readonly JsonSerializerOptions Writing =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true, NewLine = "\n" };

    private readonly TokenizerFiles files;
    private readonly JsonObject root;
    private readonly JsonObject? config;
    private readonly JsonArray added;

    /// <exception cref="InvalidDataException">A file is no JSON object, or its added tokens are no tokens.</exception>
    public TokenizerEdit(TokenizerFiles files)
    {
        this.files = files;
        root = Parse(files.TokenizerJson, TokenizerFiles.TokenizerName);
        config = files.TokenizerConfig is { } given ? Parse(given, TokenizerFiles.ConfigName) : null;
        if (root["added_tokens"] is not JsonArray there) root["added_tokens"] = there = [];
        added = there;
        if (added.Any(token => IdOf(token) is null || ContentOf(token) is null))
            throw new InvalidDataException($"'{TokenizerFiles.TokenizerName}' has an added token without id or content.");
        NextId = files.LargestId(TokenizerFiles.TokenizerName) + 1;
    }

    /// <summary>The first id behind all that are in use.</summary>
    public int NextId { get; private set; }

    /// <summary>Id of an added token; null where there is none.</summary>
    public int? AddedId(string content) => IdOf(added.FirstOrDefault(token => ContentOf(token) == content));

    /// <summary>Added tokens that hold a place for later and that no template, configuration or post-processor names.</summary>
    public IReadOnlyList<(int Id, string Content)> Reserved()
    {
        string named = Named();
        return
        [
            .. added.Select(token => (Id: IdOf(token)!.Value, Content: ContentOf(token)!))
                .Where(token => ReservedName().IsMatch(token.Content) && !named.Contains(token.Content, StringComparison.Ordinal)),
        ];
    }

    /// <summary>Gives the id of an added token to another text, which is no special token: it stays in decoded text.</summary>
    public void Rename(int id, string content)
    {
        int place = added.Index().First(token => IdOf(token.Item) == id).Index;
        string before = ContentOf(added[place])!;
        added[place] = Token(id, content);
        if (root["model"]?["vocab"] is JsonObject vocabulary && vocabulary.Remove(before)) vocabulary[content] = id;
        if (root["model"]?["vocab"] is JsonArray pieces && id < pieces.Count && pieces[id] is JsonArray piece) piece[0] = content;
        Note(id, content);
        foreach (string list in (string[])["additional_special_tokens", "extra_special_tokens"])
            if (config?[list] is JsonArray special)
                foreach (var name in special.Where(name => name is JsonValue && ContentOf(name) == before).ToList()) special.Remove(name);
    }

    /// <summary>Makes an added token: of a piece the vocabulary has under its id, else under <see cref="NextId"/>.</summary>
    /// <returns>The id, and whether it is new.</returns>
    public (int Id, bool IsNew) Append(string content)
    {
        int? piece = files.FindToken(content);
        int id = piece ?? NextId++;
        int place = added.TakeWhile(token => IdOf(token) < id).Count(); // readers expect them by id
        added.Insert(place, Token(id, content));
        Note(id, content);
        return (id, piece is null);
    }

    public TokenizerFiles ToFiles() => files with { TokenizerJson = Bytes(root), TokenizerConfig = config is null ? null : Bytes(config) };

    private void Note(int id, string content)
    {
        if (config?["added_tokens_decoder"] is not JsonObject decoder) return;
        var token = Token(id, content);
        token.Remove("id");
        decoder[$"{id}"] = token;
    }

    // Where a token's text would mean that somebody uses it.
    private string Named()
    {
        var rest = config?.DeepClone().AsObject();
        foreach (string list in (string[])["added_tokens_decoder", "additional_special_tokens", "extra_special_tokens"]) rest?.Remove(list);
        string template = files.ChatTemplate is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes) : "";
        return string.Join(
            '\n', template, rest?.ToJsonString(Writing), root["post_processor"]?.ToJsonString(Writing),
            root["normalizer"]?.ToJsonString(Writing));
    }

    private static JsonObject Token(int id, string content) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = false,
    };

    private static int? IdOf(JsonNode? token) =>
        token is JsonObject && token["id"] is JsonValue value && value.TryGetValue(out int id) ? id : null;

    private static string? ContentOf(JsonNode? token) =>
        (token is JsonObject ? token["content"] : token) is JsonValue value && value.TryGetValue(out string? content) ? content : null;

    private static JsonObject Parse(byte[] utf8, string file)
    {
        try
        {
            return JsonNode.Parse(utf8, documentOptions: Reading) as JsonObject
                ?? throw new InvalidDataException($"'{file}' is not a JSON object.");
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException($"'{file}' is not valid JSON: {broken.Message}", broken);
        }
    }

    private static byte[] Bytes(JsonObject json) => [.. JsonSerializer.SerializeToUtf8Bytes(json, Writing), (byte)'\n'];

    // <|reserved_special_token_0|> (Llama 3), <unused0> (Gemma), [unused0] (BERT), <reserved_7>
    [GeneratedRegex(@"^(<\|?(reserved|unused)[^<>]*>|\[unused[^\[\]]*\])$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ReservedName();
}
