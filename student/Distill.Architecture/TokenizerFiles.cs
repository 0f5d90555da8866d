using System.Text.Json;

namespace Distill.Architecture;

/// <summary>
/// The tokenizer files of a model folder, carried unchanged from checkpoint to checkpoint to export. Only the ids in use are looked at
/// here; reading the tokenizer itself is the business of the tokenization library.
/// </summary>
public sealed record TokenizerFiles(byte[] TokenizerJson, byte[]? TokenizerConfig, byte[]? ChatTemplate)
{
    public const string TokenizerName = "tokenizer.json";
    public const string ConfigName = "tokenizer_config.json";
    public const string TemplateName = "chat_template.jinja";
    private const long MaxBytes = 256 << 20;

    /// <exception cref="InvalidDataException">tokenizer.json is missing, or a file is too large.</exception>
    public static TokenizerFiles Read(string folder)
    {
        byte[]? tokenizer = ReadIfThere(folder, TokenizerName);
        return tokenizer is null
            ? throw new InvalidDataException($"'{folder}' has no {TokenizerName}.")
            : new(tokenizer, ReadIfThere(folder, ConfigName), ReadIfThere(folder, TemplateName));
    }

    public static bool Exist(string folder) => FolderFile.Find(folder, TokenizerName) is not null;

    /// <summary>Writes the files that there are; an absent one is removed, so that no other model's stays behind.</summary>
    public void Write(string folder)
    {
        DurableFile.Write(Path.Combine(folder, TokenizerName), TokenizerJson);
        WriteOrDelete(Path.Combine(folder, ConfigName), TokenizerConfig);
        WriteOrDelete(Path.Combine(folder, TemplateName), ChatTemplate);
    }

    /// <summary>
    /// Refuses a tokenizer that makes ids the embedding has no row for. More rows than ids is common padding and allowed.
    /// </summary>
    /// <param name="file">What the message calls the tokenizer.</param>
    /// <param name="vocabularySize">Rows of the embedding.</param>
    /// <exception cref="InvalidDataException">The vocabularies do not fit, or the tokenizer is not readable.</exception>
    public void RequireFits(string file, int vocabularySize)
    {
        using var document = BoundedJson.Parse(TokenizerJson, file);
        var (token, id) = LargestId(document.RootElement);
        if (id < 0) throw new InvalidDataException($"'{file}' defines no tokens.");
        if (id >= vocabularySize)
            throw new InvalidDataException(
                $"Vocabulary mismatch: '{file}' gives token '{token}' the id {id}; the model's embedding has {vocabularySize} rows "
                + $"(0..{vocabularySize - 1}).");
    }

    /// <summary>The id of a token by its exact content, among added tokens first; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The tokenizer is not readable.</exception>
    public int? FindToken(string content)
    {
        using var document = BoundedJson.Parse(TokenizerJson, TokenizerName);
        var root = document.RootElement;
        if (root.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array)
            foreach (var token in added.EnumerateArray())
                if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var text)
                    && text.ValueKind == JsonValueKind.String && text.ValueEquals(content) && token.TryGetProperty("id", out var id)
                    && id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int found))
                    return found;
        return root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.Object
            && model.TryGetProperty("vocab", out var vocab)
            && vocab.ValueKind == JsonValueKind.Object && vocab.TryGetProperty(content, out var value)
            && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int plain)
            ? plain
            : null;
    }

    /// <summary>The token that tokenizer_config.json says ends a text; training puts it behind a reply. Null where it names none.</summary>
    /// <exception cref="InvalidDataException">A file is not readable.</exception>
    public int? EndToken
    {
        get
        {
            if (TokenizerConfig is null) return null;
            using var document = BoundedJson.Parse(TokenizerConfig, ConfigName);
            if (!document.RootElement.TryGetProperty("eos_token", out var named)) return null;
            if (named.ValueKind == JsonValueKind.Object && named.TryGetProperty("content", out var content)) named = content;
            return named.ValueKind == JsonValueKind.String ? FindToken(named.GetString()!) : null;
        }
    }

    /// <summary>The largest id of any token; −1 without tokens.</summary>
    /// <exception cref="InvalidDataException">The tokenizer is not readable.</exception>
    internal int LargestId(string file)
    {
        using var document = BoundedJson.Parse(TokenizerJson, file);
        return checked((int)LargestId(document.RootElement).Id);
    }

    private static (string Token, long Id) LargestId(JsonElement root)
    {
        (string Token, long Id) largest = ("", -1);
        void See(string? token, long id)
        {
            if (id > largest.Id) largest = (token ?? "", id);
        }

        if (root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.Object
            && model.TryGetProperty("vocab", out var vocab))
        {
            if (vocab.ValueKind == JsonValueKind.Array) See("(last piece)", vocab.GetArrayLength() - 1); // Unigram: the position is the id
            if (vocab.ValueKind == JsonValueKind.Object)
                foreach (var pair in vocab.EnumerateObject())
                    if (pair.Value.ValueKind == JsonValueKind.Number && pair.Value.TryGetInt64(out long id) && id > largest.Id)
                        See(pair.Name, id);
        }

        if (root.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array)
            foreach (var token in added.EnumerateArray())
                if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("id", out var value)
                    && value.ValueKind == JsonValueKind.Number
                    && value.TryGetInt64(out long id))
                    See(token.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
                        ? content.GetString() : "", id);
        return largest;
    }

    private static byte[]? ReadIfThere(string folder, string name) =>
        FolderFile.Find(folder, name) is { } path ? FolderFile.Read(path, MaxBytes) : null;

    private static void WriteOrDelete(string path, byte[]? content)
    {
        if (content is null) File.Delete(path);
        else DurableFile.Write(path, content);
    }
}
