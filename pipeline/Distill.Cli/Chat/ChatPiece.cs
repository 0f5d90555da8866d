namespace Distill.Cli.Chat;

/// <summary>Some characters of a reply as they come.</summary>
/// <param name="IsReasoning">Between the thinking marks; the marks themselves are not given.</param>
internal readonly record struct ChatPiece(bool IsReasoning, string Text);
