using Distill.Data.Problems;

namespace Distill.Data.Verification;

/// <summary>Whether an answer is right: a fact about the answer, never a number. Undecidable: no answer could be read.</summary>
public enum Verdict
{
    Correct,
    Incorrect,
    Undecidable,
}

/// <summary>
/// (answer, problem) → verdict. Total: never throws on any answer text, does bounded work, evaluates no code.
/// Safe for concurrent use.
/// </summary>
public interface IVerifier
{
    string Name { get; }

    /// <summary>Raised whenever any verdict could change; part of cache keys.</summary>
    int Version { get; }

    /// <param name="answer">The text after the reasoning, or null when the completion has none.</param>
    Verdict Verify(string? answer, Problem problem);
}
