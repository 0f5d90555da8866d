namespace Distill.Tokenization.Templates.Syntax;

/// <summary>A part of a template: text as it stands, <c>{{ … }}</c> or <c>{% … %}</c>.</summary>
/// <param name="Text">Of data only.</param>
/// <param name="Tokens">Of tags only; the last one is <see cref="TokenKind.End"/>.</param>
internal sealed record Segment(SegmentKind Kind, string Text, IReadOnlyList<Token> Tokens);
