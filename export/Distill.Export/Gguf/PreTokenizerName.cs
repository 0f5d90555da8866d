using System.Text.Json;
using Distill.Tokenization.Files;

namespace Distill.Export.Gguf;

/// <summary>
/// The name under which llama.cpp knows how a byte-level tokenizer cuts text into words. It has no patterns in the file, only names of
/// those it was built with, so a tokenizer is named when its steps are those of a name, and refused otherwise.
/// Source: llama.cpp's src/llama-vocab.cpp.
/// </summary>
internal static class PreTokenizerName
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|",
        Rest = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    // Patterns as published tokenizers spell them; a spelling that is not listed may mean the same and is refused all the same.
    private const string DigitByDigit = Contractions + "\\p{N}" + Rest, DigitsByThree = Contractions + "\\p{N}{1,3}" + Rest;

    private static readonly string[] s_deepSeek =
    [
        "\\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*"
            + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ];

    /// <param name="element">The <c>pre_tokenizer</c> of a tokenizer.json that has been read.</param>
    /// <param name="ignoresMerges">A word that is a token as a whole is that token.</param>
    /// <exception cref="InvalidDataException">llama.cpp has no name for it.</exception>
    public static string Of(JsonElement? element, bool ignoresMerges)
    {
        var steps = element is { } present ? Flatten(present).ToList() : [];
        if (steps.Any(step => IsByteLevel(step) && step.Flag("add_prefix_space", true)))
            throw Refused("its ByteLevel step puts a space before a text (add_prefix_space), which llama.cpp does not", steps);
        string? name = steps switch
        {
            [var only] when IsByteLevel(only, regex: true) => "gpt-2",
            [var digits, var last] when IsDigits(digits) && IsByteLevel(last, regex: true) => "smollm",
            [var split, var last] when IsByteLevel(last, regex: false) => Split(split) switch
            {
                DigitByDigit => "qwen2",
                DigitsByThree => ignoresMerges ? "llama-bpe" : "smaug-bpe",
                _ => null,
            },
            [.. var splits, var last] when IsByteLevel(last, regex: false) && splits.Select(Split).SequenceEqual(s_deepSeek) =>
                "deepseek-v3",
            _ => null,
        };
        if (name is null) throw Refused("llama.cpp has no name for the way it cuts text into words", steps);
        if (ignoresMerges != (name == "llama-bpe"))
            throw Refused($"it takes whole words before merges (ignore_merges), which llama.cpp does not do under the name {name}", steps);
        return name;
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement element) => TypeOf(element) == "Sequence"
        ? element.Required("pretokenizers").Items("pretokenizers").SelectMany(Flatten)
        : [element];

    private static bool IsByteLevel(JsonElement step) => TypeOf(step) == "ByteLevel";

    private static bool IsByteLevel(JsonElement step, bool regex) => IsByteLevel(step) && step.Flag("use_regex", true) == regex;

    private static bool IsDigits(JsonElement step) => TypeOf(step) == "Digits" && step.Flag("individual_digits", false);

    // The pattern of a step whose matches and rests all become words; null for another step.
    private static string? Split(JsonElement step)
    {
        if (TypeOf(step) != "Split" || step.OptionalText("behavior") != "Isolated" || step.Flag("invert", false)) return null;
        var pattern = step.Required("pattern");
        return pattern.ValueKind == JsonValueKind.Object ? pattern.OptionalText("Regex") : null;
    }

    private static string TypeOf(JsonElement step) => step.Required("type").Text("type");

    private static InvalidDataException Refused(string reason, IReadOnlyList<JsonElement> steps) =>
        new($"{reason}: {(steps.Count == 0 ? "no pre_tokenizer" : string.Join(" → ", steps.Select(Summary)))}");

    private static string Summary(JsonElement step)
    {
        string text = TypeOf(step) is "Split" ? $"Split {Split(step) ?? step.GetRawText()}" : TypeOf(step);
        return text.Length <= 120 ? text : text[..117] + "...";
    }
}
