namespace Distill.Tokenization.Templates.Syntax;

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
