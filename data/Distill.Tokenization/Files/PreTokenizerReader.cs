using System.Buffers;
using System.Text;
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
        if (steps.Count > TokenizerLimits.Steps)
            throw new InvalidDataException($"{steps.Count} pre-tokenizers; at most {TokenizerLimits.Steps} are allowed");
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
        "Digits" => CharacterPreTokenizer.Digits(step.Flag("individual_digits", false)),
        "Punctuation" => CharacterPreTokenizer.Punctuation(Behavior(step.OptionalText("behavior") ?? "Isolated")),
        "Whitespace" => new WhitespacePreTokenizer(),
        "WhitespaceSplit" => CharacterPreTokenizer.WhitespaceSplit,
        "CharDelimiterSplit" => CharacterPreTokenizer.Delimiter(Delimiter(step.Required("delimiter").Text("delimiter"))),
        "Metaspace" => new MetaspacePreTokenizer(MetaspaceReader.Mark(step), MetaspaceReader.Scheme(step), step.Flag("split", true)),
        "Split" =>
            new SplitPreTokenizer(PatternReader.Read(step.Required("pattern")), Behavior(step.Required("behavior").Text("behavior")),
                step.Flag("invert", false)),
        var type => throw new InvalidDataException($"pre-tokenizer '{type}' is not supported"),
    };

    private static SplitBehavior Behavior(string name) =>
        Enum.TryParse<SplitBehavior>(name, out var behavior) && Enum.IsDefined(behavior) && !char.IsDigit(name[0])
        ? behavior
        : throw new InvalidDataException($"'behavior' must be one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}, not '{name}'");

    private static Rune Delimiter(string text) =>
        Rune.DecodeFromUtf16(text, out var rune, out int length) == OperationStatus.Done && length == text.Length
        ? rune
        : throw new InvalidDataException("'delimiter' must be one character");

    private static string TypeOf(JsonElement element) => element.Required("type").Text("type");
}
