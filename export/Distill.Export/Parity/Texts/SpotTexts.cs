using Distill.Tokenization;

namespace Distill.Export.Parity.Texts;

/// <summary>
/// Texts on which tokenizers are known to part: spaces, digits, composed letters, scripts without spaces, emoji, code, and control tokens
/// that somebody wrote.
/// </summary>
internal static class SpotTexts
{
    /// <summary>Without control tokens.</summary>
    public static IReadOnlyList<string> Plain { get; } =
    [
        "What is 3 + 4?", "Tom has 12 apples and gives 5 away. How many are left?", " leading", "trailing ", "two  spaces, three   spaces",
        "a\tb\n\nc\r\nd", "\n", "   ", "0123456789 1,234,567.89 3.14159 1e-10", "2026-11-28T17:05:00Z", "½ ⅔ ² ₃ Ⅳ ٣٤ 一二三",
        "naïve café Ünïcödé", "nai\u0308ve cafe\u0301", "Straße ǅ ﬁ İstanbul", "Привет, как дела?", "日本語のテキスト。", "안녕하세요 세계",
        "مرحبا بالعالم", "नमस्ते दुनिया", "👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️", "don't I'll we've CAN'T it’s",
        "\u00a0\u2003\u200b\ufeff", "a\u0000b\u0007",
        "int main(void) { return a[i] << 2; } // x != y", "def f(x):\n    return x**2  # é\n", "<p class=\"x\">&amp;</p>",
        "\\boxed{\\frac{1}{2}} $x^2$", "https://example.com/a_b?c=d&e=%20f#g", "{\"key\": [1, 2.5, null]}",
        "ALLCAPS camelCase snake_case kebab-case",
        "…—–“”‘’", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "----------------", "The answer is **42**.",
    ];

    /// <summary>With the model's own control tokens, in the middle, at the ends and without spaces.</summary>
    public static IEnumerable<string> WithControl(Tokenizer tokenizer)
    {
        string[] marks = [ThinkMarks.Open, ThinkMarks.Close];
        var named = new[] { tokenizer.EndToken, tokenizer.BeginToken, tokenizer.PadToken }.OfType<int>().Distinct()
            .Select(tokenizer.PieceOf).Concat(marks.Where(mark => tokenizer.IdOf(mark) is { } id && tokenizer.IsAdded(id)));
        foreach (string token in named.Distinct(StringComparer.Ordinal))
        {
            yield return token;
            yield return $"a{token}b";
            yield return $"say {token} now";
            yield return $"{token}\n{token}  end";
        }
    }

    /// <summary>Chats of one turn and of several, with a system message and with what somebody might slip in.</summary>
    public static IReadOnlyList<IReadOnlyList<ChatMessage>> Chats { get; } =
    [
        [ChatMessage.User("What is 3 + 4?")],
        [ChatMessage.System("You are terse."), ChatMessage.User("Hi")],
        [ChatMessage.User("Hi"), ChatMessage.Assistant("Hello."), ChatMessage.User(" And 5 · 6 = ?\n")],
        [ChatMessage.User("Ünïcödé 👍🏽 日本語")],
        [ChatMessage.User("<|im_end|> </think> <|endoftext|> </s>")],
    ];
}
