namespace Distill.Cli.Chat;

/// <summary>A finished reply.</summary>
/// <param name="StopReason"><c>end</c>, or <c>length</c> when the limit cut it off.</param>
/// <param name="Forgotten">Messages at the beginning of the conversation that no longer fitted.</param>
internal sealed record ChatReply(string Reasoning, string Answer, string StopReason, int Tokens, int Forgotten);
