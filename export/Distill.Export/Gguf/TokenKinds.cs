using Distill.Tokenization.Files;

namespace Distill.Export.Gguf;

/// <summary>What a token is to llama.cpp (<c>llama_token_type</c>).</summary>
internal enum TokenKind
{
    Normal = 1,

    /// <summary>Stands for text without tokens.</summary>
    Unknown = 2,

    /// <summary>A control token: found in text only on request, left out of decoded text.</summary>
    Control = 3,

    /// <summary>An added token that is not special: found in text always.</summary>
    UserDefined = 4,

    /// <summary>A row of the embedding that no token uses.</summary>
    Unused = 5,

    /// <summary>A byte of byte fallback.</summary>
    Byte = 6,
}

/// <summary>Text and kind of every row of the embedding.</summary>
internal sealed record TokenList(IReadOnlyList<string> Texts, IReadOnlyList<TokenKind> Kinds)
{
    /// <param name="rows">Of the embedding; those beyond the tokens are filled up.</param>
    /// <param name="bytePieces">Pieces such as <c>&lt;0x0A&gt;</c> are bytes.</param>
    /// <exception cref="InvalidDataException">Two rows have one text, by which llama.cpp tells tokens apart.</exception>
    public static TokenList Of(TokenizerDefinition tokenizer, int rows, bool bytePieces)
    {
        var added = tokenizer.AddedTokens.ToDictionary(token => token.Id);
        var seen = new Dictionary<string, int>(rows);
        string[] texts = new string[rows];
        var kinds = new TokenKind[rows];
        for (int id = 0; id < rows; id++)
        {
            string? piece = tokenizer.Model.Vocabulary.PieceOf(id);
            if (added.TryGetValue(id, out var token))
                (texts[id], kinds[id]) = (token.Content, token.Special ? TokenKind.Control : TokenKind.UserDefined);
            else if (piece is null) (texts[id], kinds[id]) = ($"[PAD{id}]", TokenKind.Unused);
            else (texts[id], kinds[id]) = (piece, bytePieces && IsByte(piece) ? TokenKind.Byte : TokenKind.Normal);
            if (piece is not null && piece == tokenizer.Model.Options.UnknownToken && bytePieces) kinds[id] = TokenKind.Unknown;
            if (!seen.TryAdd(texts[id], id))
                throw new InvalidDataException(
                    $"the ids {seen[texts[id]]} and {id} have one text, '{texts[id]}'; llama.cpp needs one for each");
        }

        return new(texts, kinds);
    }

    private static bool IsByte(string piece) => piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal) && piece[5] == '>'
        && char.IsAsciiHexDigitUpper(piece[3]) && char.IsAsciiHexDigitUpper(piece[4]);
}
