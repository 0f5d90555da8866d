using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Distill.Tokenization.Models;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Files;

/// <summary>
/// SHA-256 over what decides ids, in one canonical spelling: vocabulary by id, merges in order, the model's flags, added tokens by id,
/// normaliser and pre-tokenizer with sorted names. Layout, dialect of the merges and everything about decoding play no part.
/// </summary>
internal static class TokenizerFingerprint
{
    public static string Of(BytePairModel model, IReadOnlyList<AddedToken> added, JsonElement root)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            WriteModel(writer, model);
            foreach (var token in added) WriteAdded(writer, token);
            WriteCanonical(writer, root.Optional("normalizer"));
            WriteCanonical(writer, root.Optional("pre_tokenizer"));
            writer.WriteEndArray();
        }
        return Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
    }

    private static void WriteModel(Utf8JsonWriter writer, BytePairModel model)
    {
        var options = model.Options;
        writer.WriteStringValue(options.UnknownToken);
        foreach (bool flag in (bool[])[options.FuseUnknown, options.ByteFallback, options.IgnoreMerges]) writer.WriteBooleanValue(flag);
        foreach (var (id, piece) in model.Vocabulary.ById())
        {
            writer.WriteNumberValue(id);
            writer.WriteStringValue(piece);
        }
        foreach (var (left, right) in model.Merges.Pairs)
        {
            writer.WriteStringValue(left);
            writer.WriteStringValue(right);
        }
    }

    private static void WriteAdded(Utf8JsonWriter writer, AddedToken token)
    {
        writer.WriteNumberValue(token.Id);
        writer.WriteStringValue(token.Content);
        foreach (bool flag in (bool[])[token.Special, token.SingleWord, token.LeftStrip, token.RightStrip, token.Normalized])
            writer.WriteBooleanValue(flag);
    }

    private static void WriteCanonical(Utf8JsonWriter writer, JsonElement? element)
    {
        if (element is not { } value) writer.WriteNullValue();
        else if (value.ValueKind == JsonValueKind.Object) WriteObject(writer, value);
        else if (value.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in value.EnumerateArray()) WriteCanonical(writer, item);
            writer.WriteEndArray();
        }
        else value.WriteTo(writer);
    }

    private static void WriteObject(Utf8JsonWriter writer, JsonElement value)
    {
        writer.WriteStartObject();
        foreach (var property in value.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            writer.WritePropertyName(property.Name);
            WriteCanonical(writer, property.Value);
        }
        writer.WriteEndObject();
    }
}
