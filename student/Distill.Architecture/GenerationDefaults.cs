using System.Text.Json;

namespace Distill.Architecture;

/// <summary>
/// What generation_config.json says beside the ids: how the authors of a model sample from it. Kept as it was written, so that what this
/// project does not know is carried too; the values that runtimes share are read. Immutable.
/// </summary>
internal sealed class GenerationDefaults
{
    private const long MaxBytes = 1 << 20;

    // Follow from the tokenizer and the configuration, or from whoever wrote the file.
    private static readonly HashSet<string> s_own = ["bos_token_id", "eos_token_id", "pad_token_id", "_from_model_config"];
    private readonly IReadOnlyList<KeyValuePair<string, JsonElement>> values;

    private GenerationDefaults(IReadOnlyList<KeyValuePair<string, JsonElement>> values) => this.values = values;

    /// <summary>Nothing but ids.</summary>
    public static GenerationDefaults None { get; } = new([]);

    public bool? Samples => Find("do_sample") is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : null;

    public double? Temperature => Number("temperature");

    public double? TopK => Number("top_k");

    public double? TopP => Number("top_p");

    public double? RepetitionPenalty => Number("repetition_penalty");

    /// <returns><see cref="None"/> where a folder has no such file.</returns>
    /// <exception cref="InvalidDataException">It is no JSON object, or one of the values that are read is no number.</exception>
    public static GenerationDefaults Read(string folder)
    {
        if (FolderFile.Find(folder, DecoderConfigJson.GenerationFileName) is not { } path) return None;
        using var document = BoundedJson.Read(path, MaxBytes);
        var fields = new ConfigFields(document.RootElement);
        _ = fields.OptionalBool("do_sample");
        foreach (string key in (string[])["temperature", "top_k", "top_p", "repetition_penalty"]) _ = fields.OptionalDouble(key);
        if (fields.Problems.Count > 0) throw new InvalidDataException($"'{path}': {string.Join("; ", fields.Problems)}.");
        return new([.. document.RootElement.EnumerateObject().Where(property => !s_own.Contains(property.Name))
            .Select(property => KeyValuePair.Create(property.Name, property.Value.Clone()))]);
    }

    /// <summary>The values behind the ids, in the order they were read in.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        foreach (var (name, value) in values)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    private double? Number(string name) => Find(name) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    private JsonElement? Find(string name)
    {
        foreach (var (key, value) in values)
            if (key == name) return value;
        return null;
    }
}
