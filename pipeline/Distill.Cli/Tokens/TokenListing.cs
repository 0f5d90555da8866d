using System.Text;
using Distill.Cli.Output;
using Distill.Tokenization;

namespace Distill.Cli.Tokens;

/// <summary>A token as people look at it.</summary>
/// <param name="Piece">As written in tokenizer.json; null where the tokenizer has no such id.</param>
/// <param name="Text">The text that becomes certain with it: empty while a character is unfinished.</param>
/// <param name="At">Where that text begins, in UTF-8 bytes of the decoded text.</param>
/// <param name="Added">A control token or another added one, which plain text never gives.</param>
internal sealed record TokenView(int Id, string? Piece, string Text, int At, bool Added);

/// <summary>Token ids laid open: which pieces they are and which text each of them adds.</summary>
internal static class TokenListing
{
    /// <summary>A table of a million rows helps nobody; <c>--json</c> gives all.</summary>
    public const int MostRows = 2000;

    public static IReadOnlyList<TokenView> Of(Tokenizer tokenizer, IReadOnlyList<int> ids)
    {
        var decoder = new IncrementalDecoder(tokenizer);
        var views = new List<TokenView>(ids.Count);
        int at = 0;
        for (int i = 0; i < ids.Count; i++)
        {
            string text = decoder.Push(ids[i]);
            if (i == ids.Count - 1) text += decoder.Flush();
            views.Add(new TokenView(ids[i], PieceOf(tokenizer, ids[i]), text, at, tokenizer.IsAdded(ids[i])));
            at += Encoding.UTF8.GetByteCount(text);
        }

        return views;
    }

    public static string? PieceOf(Tokenizer tokenizer, int id) => tokenizer.TryPieceOf(id, out string? piece) ? piece : null;

    /// <summary>A table of the tokens and a line with their number.</summary>
    public static void Show(IReadOnlyList<TokenView> tokens, ResultWriter results)
    {
        results.Table(["piece", "text", "id", "#", "byte"], tokens.Take(MostRows).Select((token, index) => (string[])
            [Piece(token.Piece), Quoted(token.Text), $"{token.Id}", $"{index}", $"{token.At}"]), words: 2);
        if (tokens.Count > MostRows) results.Line($"… {tokens.Count - MostRows:N0} more; --json gives all");
    }

    /// <summary>A piece for a terminal.</summary>
    public static string Piece(string? piece) => piece is null ? "(none)" : TerminalText.Escaped(piece);

    /// <summary>Spaces at its ends stay visible.</summary>
    public static string Quoted(string text) => text.Length == 0 ? "" : $"\"{TerminalText.Escaped(text)}\"";
}
