namespace Distill.Tokenization.Templates.Syntax;

/// <summary>Walks the tokens of one tag.</summary>
internal sealed class TokenReader(IReadOnlyList<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];

    public Token Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Take() => tokens[_at].Kind == TokenKind.End ? throw Unexpected() : tokens[_at++];

    public bool Skip(string text)
    {
        bool found = Current.IsOperator(text) || Current.IsName(text);
        if (found) _at++;
        return found;
    }

    public void Expect(string text)
    {
        if (!Skip(text)) throw TemplateException.Syntax($"expected '{text}', found {Current}");
    }

    public string ExpectName() =>
        Current.Kind == TokenKind.Name ? Take().Text : throw TemplateException.Syntax($"expected a name, found {Current}");

    public void ExpectEnd()
    {
        if (Current.Kind != TokenKind.End) throw Unexpected();
    }

    public TemplateException Unexpected() => TemplateException.Syntax($"unexpected {Current}");
}
