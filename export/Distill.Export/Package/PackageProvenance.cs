using System.Text.Json;
using Distill.Architecture;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>A file of a model folder, by its name relative to the folder, with forward slashes.</summary>
/// <param name="Bytes">Null in folders of version 1, which recorded digests only.</param>
internal sealed record PackagedFile(string Name, long? Bytes, string Sha256);

/// <summary>
/// distill.json: what the folder was made from and by what, how the model was spoken to, size and digest of every file that determines
/// its output, and the parity figures. No times and no paths, so that the same inputs give the same bytes.
/// </summary>
internal sealed record PackageProvenance(PromptStyle Prompt, IReadOnlyList<PackagedFile> Files)
{
    public const string FileName = "distill.json";
    private const int Version = 2;
    private const long MaxBytes = 1 << 20;

    /// <returns>Null where the folder has no such file.</returns>
    /// <exception cref="InvalidDataException">Names the file and what cannot be read in it.</exception>
    public static PackageProvenance? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        using var document = BoundedJson.Read(path, MaxBytes);
        try
        {
            var root = document.RootElement;
            return new(
                root.TryGetProperty("prompt", out var prompt) ? ReadPrompt(prompt) : PromptStyle.Plain,
                root.TryGetProperty("files", out var files) ? [.. files.EnumerateObject().Select(ReadFile)] : []);
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"'{path}' is not a description of an exported model: {wrong.Message}", wrong);
        }
    }

    /// <summary>How a folder's model was spoken to in training; plain where the folder does not say.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static PromptStyle PromptOf(string folder) => Read(folder)?.Prompt ?? PromptStyle.Plain;

    /// <param name="encoder">Of the folder's tokenizer and template; null: nothing is recorded of them.</param>
    public static byte[] Write(
        DecoderArchitecture architecture, ExportPrecision precision, PackageDescription description, IReadOnlyList<PackagedFile> files,
        ChatEncoder? encoder = null) =>
        JsonText.Object(json =>
        {
            json.WriteNumber("version", Version);
            json.WriteString("name", description.Name);
            json.WriteString("precision", precision.Name());
            json.WriteNumber("parameters", architecture.ParameterCount);
            if (description.Teacher is { } teacher) json.WriteString("teacher", teacher);
            if (!description.IsPlain) json.Object("prompt", () => WritePrompt(json, description.Prompt));
            json.Object("tools", () => WriteTools(json));
            json.Object("digests", () =>
            {
                foreach (var (role, digest) in description.Digests.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(role, digest);
            });
            json.Object("files", () =>
            {
                foreach (var file in files) json.Object(file.Name, () => WriteFile(json, file));
            });
            if (encoder is not null) RecordedTexts.Write(json, encoder);
            if (description.Parity is { } parity) json.Object("parity", () => RecordedParity.Write(json, parity));
        });

    private static void WriteTools(Utf8JsonWriter json)
    {
        json.WriteString("distill", DecoderGraph.ProducerVersion);
        json.WriteString("onnxruntime", typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly.GetName().Version!.ToString(3));
    }

    private static void WritePrompt(Utf8JsonWriter json, PromptStyle prompt)
    {
        if (prompt.System is { } system) json.WriteString("system", system);
        WriteExamples(json, prompt.Examples);
        if (prompt.TemplateOptions.Count == 0) return;
        json.Object("templateOptions", () =>
        {
            foreach (var (name, value) in prompt.TemplateOptions.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        });
    }

    private static void WriteExamples(Utf8JsonWriter json, IReadOnlyList<ChatMessage> examples)
    {
        if (examples.Count == 0) return;
        json.WriteStartArray("examples");
        foreach (var turn in examples)
        {
            json.WriteStartObject();
            json.WriteString("role", turn.Role);
            json.WriteString("content", turn.Content);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ChatMessage ReadTurn(JsonElement turn) => turn.GetProperty("role").GetString() switch
    {
        "user" => ChatMessage.User(turn.GetProperty("content").GetString() ?? ""),
        "assistant" => ChatMessage.Assistant(turn.GetProperty("content").GetString() ?? ""),
        _ => throw new FormatException("an example's role is neither user nor assistant."),
    };

    private static PromptStyle ReadPrompt(JsonElement prompt) => new()
    {
        Examples = prompt.TryGetProperty("examples", out var examples) ? [.. examples.EnumerateArray().Select(ReadTurn)] : [],
        System = prompt.TryGetProperty("system", out var system) ? system.GetString() : null,
        TemplateOptions = prompt.TryGetProperty("templateOptions", out var options)
            ? options.EnumerateObject().ToDictionary(option => option.Name, option => option.Value.Clone())
            : new Dictionary<string, JsonElement>(),
    };

    private static void WriteFile(Utf8JsonWriter json, PackagedFile file)
    {
        if (file.Bytes is { } bytes) json.WriteNumber("bytes", bytes);
        json.WriteString("sha256", file.Sha256);
    }

    private static PackagedFile ReadFile(JsonProperty file)
    {
        if (file.Name.Length == 0 || Path.IsPathRooted(file.Name) || file.Name.Split('/', '\\').Contains(".."))
            throw new FormatException($"'{file.Name}' is not the name of a file in the folder.");
        return file.Value.ValueKind == JsonValueKind.String
            ? new(file.Name, null, file.Value.GetString()!)
            : new(file.Name, file.Value.GetProperty("bytes").GetInt64(), file.Value.GetProperty("sha256").GetString() ?? "");
    }
}
