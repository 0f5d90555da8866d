using Distill.Data.Verification;

namespace Distill.Data.Problems;

/// <summary>
/// A procedural source of problems: the same (seed, index, split, level) always gives the same problem, on every machine.
/// Implementations are stateless and safe for concurrent use.
/// </summary>
public interface IProblemFamily
{
    /// <summary>Registry key and recipe word, e.g. <c>countdown</c>.</summary>
    string Name { get; }

    string Domain { get; }

    /// <summary>Levels run from 1 to this.</summary>
    int MaxLevel { get; }

    IVerifier Verifier { get; }

    /// <summary>Draws until the signature falls into <paramref name="split"/>, so the splits never overlap.</summary>
    Problem Generate(ulong seed, long index, Split split, int level);

    /// <summary>The twins that make sense for this problem, in the same split; deterministic.</summary>
    IReadOnlyList<Twin> Twins(Problem problem);

    /// <summary>One single-step fact in the family's trace language (e.g. <c>7 + 5 = 12</c>): what a base model may know without reasoning.</summary>
    string Fact(ulong seed, long index);
}
