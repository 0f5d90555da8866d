using Distill.Tokenization.Normalization;
using Distill.Tokenization.PreTokenizers;

namespace Distill.Tokenization.AddedTokens;

/// <summary>
/// Cuts a text into added tokens and normalised pieces between them. Tokens that want it are searched in the normalised text, after all
/// others. Immutable and thread-safe.
/// </summary>
internal sealed class TextCutter
{
    private readonly INormalizer? _normalizer;
    private readonly AddedTokenMatcher _before;
    private readonly AddedTokenMatcher _after;

    /// <param name="tokens">The content of those searched in normalised text must be normalised too.</param>
    public TextCutter(IReadOnlyList<AddedToken> tokens, INormalizer? normalizer)
    {
        _normalizer = normalizer;
        _before = new AddedTokenMatcher(tokens.Where(t => !t.Normalized));
        _after = new AddedTokenMatcher(tokens.Where(t => t.Normalized));
    }

    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="foreign">Stretches in which no token may be found; sorted, disjoint.</param>
    public IEnumerable<CutPiece> Cut(string text, IReadOnlyList<TextRange> foreign)
    {
        foreach (var span in _before.Cut(text, foreign))
        {
            if (span.Token is not null)
            {
                yield return new CutPiece(span.Token, default);
                continue;
            }
            var within = TextRange.Clip(foreign, span.Start, span.End);
            foreach (var piece in CutNormalized(text[span.Start..span.End], within, span.Start == 0)) yield return piece;
        }
    }

    private IEnumerable<CutPiece> CutNormalized(string text, List<TextRange> foreign, bool first)
    {
        bool mixed = foreign.Count > 0 && foreign[0] != new TextRange(0, text.Length);
        if (_after.IsEmpty || !mixed || _normalizer is null)
        {
            // Positions survive normalisation only where it is none, or where all or nothing of the text is foreign.
            string normalized = Normalize(text);
            bool allForeign = foreign.Count > 0 && !mixed;
            return After(normalized, allForeign ? [new TextRange(0, normalized.Length)] : _normalizer is null ? foreign : [], first);
        }
        // Otherwise each stretch is normalised by itself, which differs from the whole only where a character meets its marks at a border.
        return TextRange.Both(foreign, text.Length).SelectMany(stretch =>
        {
            string normalized = Normalize(text[stretch.Range.Start..stretch.Range.End]);
            return After(normalized, stretch.Listed ? [new TextRange(0, normalized.Length)] : [], first && stretch.Range.Start == 0);
        });
    }

    private IEnumerable<CutPiece> After(string text, IReadOnlyList<TextRange> foreign, bool first)
    {
        foreach (var span in _after.Cut(text, foreign))
            yield return span.Token is not null
                ? new CutPiece(span.Token, default)
                : new CutPiece(null, Piece.Of(text[span.Start..span.End], first && span.Start == 0));
    }

    private string Normalize(string text) => _normalizer?.Normalize(text) ?? text;
}
