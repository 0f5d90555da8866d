using System.Text;
using System.Text.Json;
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

/// <summary>What <c>distill tokenize</c> says: tables for people, one object per text for machines.</summary>
internal sealed class TokenizeOutput(CommandContext context)
{
    private int shown;

    public void Tokens(Tokenizer tokenizer, string text, int[] ids)
    {
        var tokens = TokenListing.Of(tokenizer, ids);
        // Normalisation and unknown characters lose something; then offsets are those of the decoded text only.
        string decoded = tokenizer.Decode(ids, skipSpecial: true);
        bool same = decoded == text || tokenizer.Decode(ids) == text;
        if (context.IsJson)
        {
            context.Results.Json(new { count = ids.Length, ids, tokens, roundTrips = same, decoded = same ? null : decoded });
            return;
        }

        Begin();
        TokenListing.Show(tokens, context.Results);
        int characters = text.EnumerateRunes().Count(), bytes = Encoding.UTF8.GetByteCount(text);
        context.Results.Line($"{ids.Length:N0} tokens for {characters:N0} characters, {bytes:N0} bytes"
            + (same ? "" : $"; decoded, they are another text: {TokenListing.Quoted(decoded)}"));
        Ids(ids);
    }

    /// <exception cref="InvalidDataException">The tokenizer has no such id.</exception>
    public void Text(Tokenizer tokenizer, int[] ids)
    {
        int unknown = Array.FindIndex(ids, id => !tokenizer.TryPieceOf(id, out _));
        if (unknown >= 0)
            throw new InvalidDataException(
                $"Id {ids[unknown]} (number {unknown + 1}) has no token; the tokenizer's ids are 0 to {tokenizer.VocabularySize - 1}.");
        string text = tokenizer.Decode(ids), plain = tokenizer.Decode(ids, skipSpecial: true);
        if (context.IsJson) context.Results.Json(new { count = ids.Length, text, plain, tokens = TokenListing.Of(tokenizer, ids) });
        else context.Results.Line(text);
    }

    /// <param name="chat">Names whether the assistant is made to speak.</param>
    public void Prompt(ChatEncoder encoder, IReadOnlyDictionary<string, JsonElement> chat)
    {
        string rendered = encoder.Render(chat);
        int[] ids = encoder.Encode(chat);
        var tokens = TokenListing.Of(encoder.Tokenizer, ids);
        string? speak = GenerationPrompt(encoder, chat, rendered);
        if (context.IsJson)
        {
            context.Results.Json(new { rendered, generationPrompt = speak, count = ids.Length, ids, tokens });
            return;
        }

        Begin();
        context.Results.Line(rendered);
        context.Results.Line();
        if (speak is not null) context.Results.Line($"The assistant is made to speak by {TokenListing.Quoted(speak)}.");
        TokenListing.Show(tokens, context.Results);
        context.Results.Line($"{ids.Length:N0} tokens");
        Ids(ids);
    }

    /// <summary>What the prompt ends with because of it; null where it adds nothing, or changes more than the end.</summary>
    private static string? GenerationPrompt(ChatEncoder encoder, IReadOnlyDictionary<string, JsonElement> chat, string rendered)
    {
        if (chat[ChatInput.GenerationPrompt].ValueKind != JsonValueKind.True) return null;
        string without = encoder.Render(new Dictionary<string, JsonElement>(chat)
            { [ChatInput.GenerationPrompt] = JsonSerializer.SerializeToElement(false) });
        return rendered.Length > without.Length && rendered.StartsWith(without, StringComparison.Ordinal) ? rendered[without.Length..]
            : null;
    }

    private void Begin()
    {
        if (shown++ > 0) context.Results.Line();
    }

    private void Ids(int[] ids)
    {
        if (ids.Length <= TokenListing.MostRows) context.Results.Line($"ids: {string.Join(", ", ids)}");
    }
}
