using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Distill.Pipeline.Recipes;
using Distill.Service.Running;

namespace Distill.Service.Pages;

/// <summary>
/// The last thing that happens to an answer: secrets are taken out of it, whoever wrote it. Texts of pages and of JSON are gone through one
/// by one, so that markup, addresses and tokens of forms stay what they are. Files that are shown lose them as they are read; what an
/// artefact's digest stands for is taken away as it is. Thread-safe.
/// </summary>
internal sealed partial class ScrubbedAnswers
{
    // A longer line is cut between words: what has no end takes no memory.
    private const int Block = 256 << 10;

    private readonly SecretText secrets;

    public ScrubbedAnswers(SecretText secrets)
    {
        this.secrets = secrets;
        Json = new(CanonicalJson.Spelling)
        {
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };
        Json.Converters.Add(new TextConverter(secrets.Without));
        Json.Converters.Add(new ElementConverter(secrets.Without));
    }

    /// <summary>How values are spelled, without secrets in any text.</summary>
    public JsonSerializerOptions Json { get; }

    public string Text(string text) => secrets.Without(text);

    /// <param name="markup">A whole page.</param>
    public string Page(string markup) => secrets.Without(markup) == markup ? markup
        : BetweenTags().Replace(markup, text => secrets.Without(text.Value));

    /// <summary>Copies UTF-8 text. Leaves both streams open.</summary>
    public async Task CopyAsync(Stream from, Stream to, CancellationToken cancellation)
    {
        using var reader = new StreamReader(from, Encoding.UTF8, bufferSize: 1 << 16, leaveOpen: true);
        char[] block = ArrayPool<char>.Shared.Rent(Block);
        try
        {
            int filled = 0;
            while (await reader.ReadAsync(block.AsMemory(filled), cancellation) is > 0 and var read)
            {
                filled += read;
                int end = EndOfLines(block, filled);
                if (end == 0) continue;
                await WriteAsync(block, end);
                block.AsSpan(end, filled - end).CopyTo(block);
                filled -= end;
            }

            await WriteAsync(block, filled);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(block);
        }

        ValueTask WriteAsync(char[] text, int length) =>
            to.WriteAsync(Encoding.UTF8.GetBytes(secrets.Without(new string(text, 0, length))), cancellation);
    }

    private static int EndOfLines(char[] block, int filled)
    {
        var text = block.AsSpan(0, filled);
        int end = text.LastIndexOf('\n') + 1;
        if (end > 0 || filled < block.Length) return end;
        return text.LastIndexOf(' ') is > 0 and var space ? space : filled;
    }

    // All text of a page is escaped, so that what is between a tag's brackets is a tag.
    [GeneratedRegex("(?<=^|>)[^<>]+")]
    private static partial Regex BetweenTags();

    private sealed class TextConverter(Func<string, string> scrub) : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(scrub(value));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WritePropertyName(scrub(value));
    }

    /// <summary>Of values that were read as JSON and are told on.</summary>
    private sealed class ElementConverter(Func<string, string> scrub) : JsonConverter<JsonElement>
    {
        public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonElement.ParseValue(ref reader);

        public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    writer.WriteStringValue(scrub(value.GetString()!));
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray();
                    foreach (var item in value.EnumerateArray()) Write(writer, item, options);
                    writer.WriteEndArray();
                    break;
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var property in value.EnumerateObject())
                    {
                        writer.WritePropertyName(scrub(property.Name));
                        Write(writer, property.Value, options);
                    }

                    writer.WriteEndObject();
                    break;
                default:
                    value.WriteTo(writer);
                    break;
            }
        }
    }
}
