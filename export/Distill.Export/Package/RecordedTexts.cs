using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Parity.Texts;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>
/// <c>texts</c> of distill.json: which tokenizer and template the folder was written with, and a digest of the ids that they gave for texts
/// on which tokenizers part. So a folder can be held to the ids of its training without the checkpoint.
/// </summary>
internal static class RecordedTexts
{
    private const string Name = "texts", Digest = "ids", Tokenizer = "tokenizer", Template = "template";
    private const long MaxBytes = 1 << 20;

    /// <param name="encoder">Of the folder.</param>
    public static void Write(Utf8JsonWriter json, ChatEncoder encoder) => json.Object(Name, () =>
    {
        json.WriteString(Tokenizer, encoder.Tokenizer.Fingerprint);
        if (encoder.HasTemplate) json.WriteString(Template, encoder.Template.Digest);
        json.WriteString(Digest, TextComparison.DigestOf(encoder));
    });

    /// <returns>Null for a folder that recorded none.</returns>
    /// <exception cref="InvalidDataException">distill.json cannot be read.</exception>
    public static string? DigestOf(string folder)
    {
        string path = Path.Combine(folder, PackageProvenance.FileName);
        if (!File.Exists(path)) return null;
        using var document = BoundedJson.Read(path, MaxBytes);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(Name, out var texts)
            && texts.ValueKind == JsonValueKind.Object && texts.TryGetProperty(Digest, out var digest) ? digest.GetString() : null;
    }
}
