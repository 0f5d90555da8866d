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

    /// <summary>
    /// A text that is equal for answers that mean the same, by what the problem says and never by its reference answer: what votes are
    /// counted by. Answers of one class have one verdict; null where no answer can be read.
    /// </summary>
    string? ClassOf(string? answer, Problem problem);
}

/// <summary>Verdicts as files spell them.</summary>
internal static class VerdictName
{
    public static string Of(Verdict verdict) => verdict switch
    {
        Verdict.Correct => "correct",
        Verdict.Incorrect => "incorrect",
        Verdict.Undecidable => "undecidable",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };

    public static Verdict Parse(string name) => name switch
    {
        "correct" => Verdict.Correct,
        "incorrect" => Verdict.Incorrect,
        "undecidable" => Verdict.Undecidable,
        _ => throw new InvalidDataException($"the verdict {Printable.Quote(name)} is none of correct, incorrect, undecidable"),
    };
}
