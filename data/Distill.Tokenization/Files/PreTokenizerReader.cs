using System.Text.Json;
using Distill.Tokenization.PreTokenizers;

namespace Distill.Tokenization.Files;

/// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    /// <summary>The pre-tokenizer, and whether its words must still be written in the byte alphabet.</summary>
    public static (IPreTokenizer? PreTokenizer, bool ByteLevelWords) Read(JsonElement? element)
    {
        if (element is not { } present) return (null, false);
        var steps = Flatten(present).ToList();
        if (steps.Count > TokenizerLimits.Steps) throw new InvalidDataException($"{steps.Count} pre-tokenizers; at most {TokenizerLimits.Steps} are allowed");
        bool byteLevelWords = steps.Count > 0 && TypeOf(steps[^1]) == "ByteLevel";
        var built = steps.Select((step, i) => Step(step, last: i == steps.Count - 1)).ToList();
        return (built.Count == 1 ? built[0] : new SequencePreTokenizer(built), byteLevelWords);
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement element) => TypeOf(element) == "Sequence"
        ? element.Required("pretokenizers").Items("pretokenizers").SelectMany(Flatten)
        : [element];

    private static IPreTokenizer Step(JsonElement step, bool last) => TypeOf(step) switch
    {
        "ByteLevel" => new ByteLevelPreTokenizer(step.Flag("add_prefix_space", true), step.Flag("use_regex", true), mapNow: !last),
        "Digits" => new DigitsPreTokenizer(step.Flag("individual_digits", false)),
        var type => throw new InvalidDataException($"pre-tokenizer '{type}' is not supported"),
    };

    private static string TypeOf(JsonElement element) => element.Required("type").Text("type");
}
