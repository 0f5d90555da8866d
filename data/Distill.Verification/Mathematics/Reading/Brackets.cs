namespace Distill.Verification.Mathematics.Reading;

/// <summary>Which bracket belongs to which.</summary>
internal static class Brackets
{
    private const int MaxDepth = 30;

    /// <returns>
    /// For each token the position of its partner, or -1; null when brackets do not match, or are nested too deeply. Round and square ones
    /// match one another, as in [1, 2).
    /// </returns>
    public static int[]? Partners(List<Token> tokens)
    {
        int[] partners = new int[tokens.Count];
        var open = new Stack<int>();
        for (int i = 0; i < tokens.Count; i++)
        {
            partners[i] = -1;
            var token = tokens[i];
            if (Closing(token) is not null)
            {
                if (open.Count >= MaxDepth) return null;
                open.Push(i);
            }
            else if (IsClosing(token))
            {
                if (!open.TryPop(out int start) || !Closing(tokens[start])!.Contains(Key(token), StringComparison.Ordinal)) return null;
                (partners[start], partners[i]) = (i, start);
            }
        }

        return open.Count == 0 ? partners : null;
    }

    private static string? Closing(Token token) => token.Kind switch
    {
        TokenKind.Begin => $"end {token.Text}",
        TokenKind.Sign => token.Text switch
        {
            "(" or "[" => ")]",
            "{" => "}",
            "\\{" => "\\}",
            "⟨" => "⟩",
            "⌊" => "⌋",
            "⌈" => "⌉",
            _ => null,
        },
        _ => null,
    };

    private static bool IsClosing(Token token) =>
        token.Kind == TokenKind.End || (token.Kind == TokenKind.Sign && token.Text is ")" or "]" or "}" or "\\}" or "⟩" or "⌋" or "⌉");

    private static string Key(Token token) => token.Kind == TokenKind.End ? $"end {token.Text}" : token.Text;
}
