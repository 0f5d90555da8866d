using System.Buffers;
using System.Text.Json;
using System.Text;
using Distill.Tokenization.Splitting;

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

/// <summary>Reads what pre-tokenizer and decoder of type Metaspace have in common.</summary>
internal static class MetaspaceReader
{
    public static string Mark(JsonElement element)
    {
        string mark = element.OptionalText("replacement") ?? "▁";
        return mark.Length == 1 ? mark : throw new InvalidDataException("'replacement' of Metaspace must be one character");
    }

    /// <summary>Older files say <c>add_prefix_space</c> instead.</summary>
    public static PrependScheme Scheme(JsonElement element) => element.OptionalText("prepend_scheme") switch
    {
        null => element.Flag("add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never,
        "always" => PrependScheme.Always,
        "first" => PrependScheme.First,
        "never" => PrependScheme.Never,
        var other => throw new InvalidDataException($"'prepend_scheme' must be always, first or never, not '{other}'"),
    };
}

/// <summary>Reads <c>{"String": …}</c> and <c>{"Regex": …}</c>.</summary>
internal static class PatternReader
{
    public static TextPattern Read(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object && element.OptionalText("Regex") is { } expression)
            return TextPattern.Expression(expression);
        return TextPattern.Literal((element.ValueKind == JsonValueKind.Object ? element.Required("String") : element).Text("pattern"));
    }
}
