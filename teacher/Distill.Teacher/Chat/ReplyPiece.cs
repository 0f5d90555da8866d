namespace Distill.Teacher;

/// <summary>Some characters of a reply as they come.</summary>
/// <param name="IsReasoning">Between the thinking marks; the marks themselves are not given.</param>
public readonly record struct ReplyPiece(bool IsReasoning, string Text);
