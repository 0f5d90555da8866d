namespace Distill.Tokenization.Templates.Syntax;

/// <summary>A word inside a tag. The text of a string is what it stands for, without quotes and escapes.</summary>
internal readonly record struct Token(TokenKind Kind, string Text)
{
    public bool IsOperator(string text) => Kind == TokenKind.Operator && Text == text;

    public bool IsName(string text) => Kind == TokenKind.Name && Text == text;

    public override string ToString() => Kind == TokenKind.End ? "end of the tag" : $"'{(Text.Length > 40 ? Text[..40] : Text)}'";
}
