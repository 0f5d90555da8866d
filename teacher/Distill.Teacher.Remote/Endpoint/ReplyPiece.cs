using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>A completion, or a piece of one.</summary>
/// <param name="Finish">Null until the last piece.</param>
/// <param name="Usage">Of the whole completion so far, whichever piece it comes with; null where the server does not say.</param>
internal sealed record ReplyPiece(string Reasoning, string Content, ChatFinishReason? Finish, UsageDetails? Usage);
