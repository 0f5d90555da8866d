namespace Distill.Serving;

/// <summary>A request that was answered; nothing of what it said.</summary>
/// <param name="Status">HTTP status; 499 when the client went away first.</param>
public sealed record ServedRequest(string Method, string Path, int Status, int PromptTokens, int CompletionTokens, TimeSpan Elapsed);
