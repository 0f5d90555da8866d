using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Problems;

/// <summary>
/// The verifiers by the names that problems carry: those of <c>Distill.Verification</c> and each family's own. Immutable.
/// </summary>
public sealed class ProblemVerifiers
{
    private readonly Dictionary<string, IVerifier> byName;

    /// <param name="additional">
    /// Verifiers that need something from outside, e.g. a judge's endpoint; each goes before one of its name.
    /// </param>
    /// <exception cref="ArgumentException">Two of them have one name.</exception>
    public ProblemVerifiers(params IReadOnlyList<IVerifier> additional)
    {
        byName = additional.ToDictionary(verifier => verifier.Name, StringComparer.Ordinal);
        foreach (var family in ProblemFamilies.All) byName.TryAdd(family.Name, family.Verifier);
        foreach (var verifier in Verifiers.All) byName.TryAdd(verifier.Name, verifier);
    }

    /// <summary>What there is without anything from outside.</summary>
    public static ProblemVerifiers Standard { get; } = new();

    public IReadOnlyList<string> Names => [.. byName.Keys.Order(StringComparer.Ordinal)];

    /// <exception cref="InvalidDataException">
    /// No verifier has the name that the problem carries; the message lists those that exist.
    /// </exception>
    public IVerifier Of(Problem problem) => TryGet(problem.Verifier)
        ?? throw new InvalidDataException(
            $"Problem {Printable.Quote(problem.Id)} asks for the verifier {Printable.Quote(problem.Verifier)}, which does not exist; "
            + $"there are {string.Join(", ", Names)}.");

    public IVerifier? TryGet(string name) => byName.GetValueOrDefault(name);
}
