using System.Text.Json;
using Distill.Tokenization.Normalization;

namespace Distill.Tokenization.Files;

/// <summary>Reads the <c>normalizer</c> of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    public static INormalizer? Read(JsonElement? element)
    {
        if (element is not { } present) return null;
        var steps = Flatten(present).ToList();
        if (steps.Count > TokenizerLimits.Steps)
            throw new InvalidDataException($"{steps.Count} normalizers; at most {TokenizerLimits.Steps} are allowed");
        return steps.Count == 1 ? Step(steps[0]) : new SequenceNormalizer([.. steps.Select(Step)]);
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement element) => TypeOf(element) == "Sequence"
        ? element.Required("normalizers").Items("normalizers").SelectMany(Flatten)
        : [element];

    private static INormalizer Step(JsonElement step) => TypeOf(step) switch
    {
        "NFC" => new UnicodeNormalizer(UnicodeForm.Nfc),
        "NFD" => new UnicodeNormalizer(UnicodeForm.Nfd),
        "NFKC" => new UnicodeNormalizer(UnicodeForm.Nfkc),
        "NFKD" => new UnicodeNormalizer(UnicodeForm.Nfkd),
        "Lowercase" => CharacterNormalizer.Lowercase,
        "StripAccents" => CharacterNormalizer.StripAccents,
        "ByteLevel" => CharacterNormalizer.ByteLevel,
        "Strip" => CharacterNormalizer.Strip(step.Flag("strip_left", true), step.Flag("strip_right", true)),
        "Prepend" => CharacterNormalizer.Prepend(step.Required("prepend").Text("prepend")),
        "Replace" => new ReplaceNormalizer(PatternReader.Read(step.Required("pattern")), step.Required("content").Text("content")),
        var type => throw new InvalidDataException($"normalizer '{type}' is not supported"),
    };

    private static string TypeOf(JsonElement element) => element.Required("type").Text("type");
}
