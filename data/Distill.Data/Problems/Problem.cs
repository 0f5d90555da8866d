using Distill.Verification;

namespace Distill.Data.Problems;

/// <summary>A question with a reference answer. Immutable; equal ids mean equal content within one source.</summary>
/// <param name="Id">Unique within a run, e.g. <c>arithmetic/2/test/7/000041</c> (family, level, split, seed, index).</param>
/// <param name="Source">
/// Where it came from: the name of the <see cref="IProblemFamily"/> that made it, or of a file, folder or data set.
/// </param>
/// <param name="Domain">What the report groups by, e.g. <c>arithmetic</c>, <c>words</c>, <c>logic</c>, <c>calendar</c>.</param>
/// <param name="Split">The part it belongs to; follows from <paramref name="Signature"/>.</param>
/// <param name="Level">Difficulty, 1 is easiest; the meaning is the family's.</param>
/// <param name="Text">What the model is asked, plain text without control tokens.</param>
/// <param name="ReferenceAnswer">An answer the verifier accepts, in the form a solution should end with.</param>
/// <param name="ReferenceSolution">The steps that lead to the answer, in the family's own trace language, or null when unknown.</param>
/// <param name="Signature">Canonical form with names and phrasing removed; two problems with equal signatures ask the same thing.</param>
public sealed record Problem(
    string Id,
    string Source,
    string Domain,
    Split Split,
    int Level,
    string Text,
    string ReferenceAnswer,
    string? ReferenceSolution,
    string Signature) : IVerifiable
{
    /// <summary>
    /// Name of the verifier that grades it (see <see cref="ProblemVerifiers"/>); default: that of the family called like the source.
    /// </summary>
    public string Verifier { get; init; } = Source;

    /// <summary>A system message that belongs to this problem and goes before that of the recipe; null: none of its own.</summary>
    public string? System { get; init; }

    /// <summary>The options of a multiple-choice question, in the order in which <see cref="Text"/> shows them; else empty.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    public bool Equals(Problem? other) => other is not null && Id == other.Id && Source == other.Source && Domain == other.Domain
        && Split == other.Split && Level == other.Level && Text == other.Text && ReferenceAnswer == other.ReferenceAnswer
        && ReferenceSolution == other.ReferenceSolution && Signature == other.Signature && Verifier == other.Verifier
        && System == other.System && Choices.SequenceEqual(other.Choices);

    public override int GetHashCode() => HashCode.Combine(Id, Text, ReferenceAnswer);
}

/// <summary>How a perturbation twin differs from its original.</summary>
public enum TwinKind
{
    /// <summary>Other names and other numbers, the same steps.</summary>
    Renamed,

    /// <summary>A clause that changes nothing was added; the answer is the original's.</summary>
    Irrelevant,

    /// <summary>Changed so that no answer exists or the statements contradict each other; saying so is the right answer.</summary>
    Unsatisfiable,

    /// <summary>Another number in the text, and everything that follows from it worked out again along the reference solution.</summary>
    Recomputed,
}

/// <summary>A problem changed so that pattern matching fails and reasoning does not.</summary>
public sealed record Twin(TwinKind Kind, Problem Problem);
