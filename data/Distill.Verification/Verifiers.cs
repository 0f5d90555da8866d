using Distill.Verification.Named;

namespace Distill.Verification;

/// <summary>The verifiers that need nothing from outside, by the names that recipes and problem files use. Immutable.</summary>
public static class Verifiers
{
    /// <summary>A new one is a class and one line here.</summary>
    public static IReadOnlyList<IVerifier> All { get; } =
    [
        new AutoVerifier(),
        new MathVerifier(),
        new IntegerVerifier(),
        new ChoiceVerifier(),
        new ExactVerifier(),
        new RegexVerifier(),
        new JsonVerifier(),
    ];

    /// <returns>Null when none has the name.</returns>
    public static IVerifier? TryGet(string name) => All.FirstOrDefault(verifier => verifier.Name == name);
}
