namespace Distill.Cli.Tokens;

/// <summary>A token as people look at it.</summary>
/// <param name="Piece">As written in tokenizer.json; null where the tokenizer has no such id.</param>
/// <param name="Text">The text that becomes certain with it: empty while a character is unfinished.</param>
/// <param name="At">Where that text begins, in UTF-8 bytes of the decoded text.</param>
/// <param name="Added">A control token or another added one, which plain text never gives.</param>
internal sealed record TokenView(int Id, string? Piece, string Text, int At, bool Added);
