namespace Distill.Templates.Syntax;

internal enum TokenKind
{
    Name,
    Integer,
    Float,
    String,
    Operator,

    /// <summary>The end of the tag.</summary>
    End,
}

/// <summary>A word inside a tag. The text of a string is what it stands for, without quotes and escapes.</summary>
internal readonly record struct Token(TokenKind Kind, string Text)
{
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    public bool IsName(string text) => Kind == TokenKind.Name && Text == text;

    public override string ToString() => Kind == TokenKind.End ? "end of the tag" : $"'{(Text.Length > 40 ? Text[..40] : Text)}'";
}

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

internal enum SegmentKind
{
    Data,
    Output,
    Block,
}

/// <summary>A part of a template: text as it stands, <c>{{ … }}</c> or <c>{% … %}</c>.</summary>
/// <param name="Text">Of data only.</param>
/// <param name="Tokens">Of tags only; the last one is <see cref="TokenKind.End"/>.</param>
internal sealed record Segment(SegmentKind Kind, string Text, IReadOnlyList<Token> Tokens);
