namespace Distill.Verification;

/// <summary>Whether an answer is right: a fact about the answer, never a number. Undecidable: no answer could be read.</summary>
public enum Verdict
{
    Correct,
    Incorrect,
    Undecidable,
}

/// <summary>What a verifier may know of a problem. Immutable.</summary>
public interface IVerifiable
{
    /// <summary>What was asked.</summary>
    string Text { get; }

    /// <summary>What the answer is compared with, as whoever set the problem wrote it.</summary>
    string ReferenceAnswer { get; }

    /// <summary>Canonical form of what is asked; the verifier of a generated family may read the problem's parts from it.</summary>
    string Signature { get; }

    /// <summary>The options of a multiple-choice question in their order; else empty.</summary>
    IReadOnlyList<string> Choices { get; }
}

/// <summary>
/// (answer, problem) → verdict. Total: never throws on any answer text, does bounded work, evaluates no code.
/// Safe for concurrent use.
/// </summary>
public interface IVerifier
{
    /// <summary>What recipes and files call it.</summary>
    string Name { get; }

    /// <summary>Raised whenever any verdict could change; part of cache keys.</summary>
    int Version { get; }

    /// <param name="answer">The text after the reasoning, or null when the completion has none.</param>
    Verdict Verify(string? answer, IVerifiable problem);

    /// <summary>
    /// A text that is equal for answers that mean the same, by what the problem says and never by its reference answer: what votes are
    /// counted by. Answers of one class have one verdict; null where no answer can be read.
    /// </summary>
    string? ClassOf(string? answer, IVerifiable problem);

    /// <summary>
    /// Why nothing could ever be judged correct by this problem's reference answer, in half a sentence for a report; null when it can be
    /// read. Asked before a run, so that such problems are named and not generated for.
    /// </summary>
    string? FaultOf(IVerifiable problem) => Verify(problem.ReferenceAnswer, problem) == Verdict.Correct
        ? null
        : $"{Name} does not accept the reference answer itself";
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

    /// <returns>Null when it is none of them.</returns>
    public static Verdict? TryParse(string name) => name switch
    {
        "correct" => Verdict.Correct,
        "incorrect" => Verdict.Incorrect,
        "undecidable" => Verdict.Undecidable,
        _ => null,
    };
}
