using System.Text;
using Distill.Tokenization;

namespace Distill.Export.Parity.Texts;

/// <summary>
/// What other runtimes' tokenizers are known to do differently. Each entry says for which texts, and holds only while the difference is of
/// that kind: a test holds every entry to being true still.
/// </summary>
internal static class KnownDifferences
{
    private const string OtherDigits = "digits other than 0 to 9 are not parted one by one, as the tokenizer asks";

    private static readonly Entry[] s_all =
    [
        new("genai", OtherDigits, (text, _, _, isRight) => HasOtherDigits(text) && isRight(WithoutOtherDigits(text))),
        new("transformers.js", OtherDigits, (text, _, _, isRight) => HasOtherDigits(text) && isRight(WithoutOtherDigits(text))),
        new("genai", "it reads a text up to its first NUL", (text, tokenizer, given, _) =>
            text.IndexOf('\0') is >= 0 and var end && given.SequenceEqual(tokenizer.Encode(text[..end], allowSpecial: true))),
    ];

    /// <summary>Of every entry, with the runtime it speaks of.</summary>
    public static IReadOnlyList<(string Runtime, string Reason)> All { get; } = [.. s_all.Select(entry => (entry.Runtime, entry.Reason))];

    /// <param name="given">Ids by the runtime.</param>
    /// <param name="isRight">
    /// Whether the runtime reads a text as training does: asked for <see cref="WithoutOtherDigits"/> of the text.
    /// </param>
    /// <returns>Null for a difference that is not known.</returns>
    public static string? ReasonFor(
        string runtime, string text, Tokenizer tokenizer, IReadOnlyList<int> given, Func<string, bool> isRight) =>
        s_all.FirstOrDefault(entry => entry.Runtime == runtime && entry.Explains(text, tokenizer, given, isRight))?.Reason;

    /// <summary>What is left of a text when the digits are cut out that other runtimes are known to read otherwise.</summary>
    public static string WithoutOtherDigits(string text) =>
        string.Concat(text.EnumerateRunes().Where(rune => !IsOtherDigit(rune)).Select(rune => rune.ToString()));

    // Of the Unicode categories Nd, Nl and No, which the reference implementation takes for digits.
    private static bool HasOtherDigits(string text) => text.EnumerateRunes().Any(IsOtherDigit);

    private static bool IsOtherDigit(Rune rune) => Rune.IsNumber(rune) && !rune.IsAscii;

    private delegate bool Explanation(string text, Tokenizer tokenizer, IReadOnlyList<int> given, Func<string, bool> isRight);

    private sealed record Entry(string Runtime, string Reason, Explanation Explains);
}
