namespace Distill.Data.Problems;

/// <summary>How a perturbation twin differs from its original.</summary>
public enum TwinKind
{
    /// <summary>Other names and other numbers, the same steps.</summary>
    Renamed,

    /// <summary>A clause that changes nothing was added; the answer is the original's.</summary>
    Irrelevant,

    /// <summary>Changed so that no answer exists or the statements contradict each other; saying so is the right answer.</summary>
    Unsatisfiable,
}

/// <summary>A problem changed so that pattern matching fails and reasoning does not.</summary>
public sealed record Twin(TwinKind Kind, Problem Problem);
