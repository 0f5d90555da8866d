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

    /// <summary>
    /// The verifier <c>json</c> with a schema that answers must fit besides. It reads type, const, enum, properties, required,
    /// additionalProperties, items, pattern, the limits of numbers and lengths, anyOf, allOf, oneOf and not.
    /// </summary>
    /// <exception cref="ArgumentException">The schema is not JSON, or uses a keyword that is not read.</exception>
    public static IVerifier Json(string schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new JsonVerifier(schema);
    }

    /// <returns>Null when none has the name.</returns>
    public static IVerifier? TryGet(string name) => All.FirstOrDefault(verifier => verifier.Name == name);
}
