namespace Distill.Generation;

/// <summary>What happens to a request while it is served.</summary>
/// <param name="SeedIndex">Which of the request's completions.</param>
public abstract record GenerationEvent(int SeedIndex);

/// <param name="Text">What may be shown now; empty unless <see cref="GenerationRequest.Text"/> asks for text.</param>
public sealed record TokenGenerated(int SeedIndex, TokenChoice Choice, string Text) : GenerationEvent(SeedIndex);

/// <summary>The last event of a completion.</summary>
public sealed record CompletionEnded(int SeedIndex, Completion Completion) : GenerationEvent(SeedIndex);
