using Distill.Verification;

namespace Distill.Data.Tests.Verification;

/// <summary>A problem of which only what a verifier looks at is said.</summary>
internal sealed record Asked(string ReferenceAnswer, string Text = "", params IReadOnlyList<string> Choices) : IVerifiable
{
    public string Signature => "";

    public Verdict By(string verifier, string? answer) => Verifiers.TryGet(verifier)!.Verify(answer, this);

    public string? ClassBy(string verifier, string? answer) => Verifiers.TryGet(verifier)!.ClassOf(answer, this);

    public string? FaultBy(string verifier) => Verifiers.TryGet(verifier)!.FaultOf(this);
}
