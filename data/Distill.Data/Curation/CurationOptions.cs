namespace Distill.Data.Curation;

/// <summary>Which of a question's right traces are kept where there are more than may be.</summary>
public enum TraceSelection
{
    /// <summary>The first, by sample.</summary>
    All,

    /// <summary>Those with the fewest tokens.</summary>
    Shortest,

    /// <summary>Those that resemble each other least.</summary>
    Diverse,
}

/// <summary>
/// Which traces may be trained on. The defaults apply the rules that need no number: truncated, refused, malformed, wrong, repeated.
/// Immutable; every field decides the outcome and belongs into cache keys.
/// </summary>
public sealed record CurationOptions
{
    /// <summary>Names of the rules that apply; those without their number do nothing. Default: all there are.</summary>
    public IReadOnlyList<string> Rules { get; init; } = CurationRules.Names;

    /// <summary>Most traces kept of one question; default no limit.</summary>
    public int MaxPerProblem { get; init; } = int.MaxValue;

    /// <summary>Which those are; default <see cref="TraceSelection.All"/>.</summary>
    public TraceSelection Select { get; init; }

    /// <summary>Fewest tokens of a completion; default 0.</summary>
    public int MinTokens { get; init; }

    /// <summary>Most tokens of a completion; default no limit.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>Greatest share, 0 to 1, of letters in scripts that the problem does not use; 1, the default, allows any.</summary>
    public double MaxForeignLetters { get; init; } = 1;

    /// <summary>Whether answers must hold <c>\boxed{…}</c>; default false.</summary>
    public bool RequireBoxed { get; init; }

    /// <summary>How often in a row a text may end in the same words, less than; 0, the default, allows any number.</summary>
    public int Loops { get; init; }

    /// <summary>Greatest share, 0 to 1, of lines that stood before in the same text; 1, the default, allows any.</summary>
    public double MaxRepeatedLines { get; init; } = 1;

    /// <summary>Resemblance, above 0 to 1, from which two traces of a question count as one; 0, the default, only where equal.</summary>
    public double NearDuplicates { get; init; }

    /// <summary>Smallest share of right traces, 0 to 1, that a question must have; default 0.</summary>
    public double MinPassRate { get; init; }

    /// <summary>Greatest share of right traces, 0 to 1, that a question may have; default 1.</summary>
    public double MaxPassRate { get; init; } = 1;

    /// <summary>Words in a row that a trace may not share with any test problem; 0, the default, looks at none.</summary>
    public int ContaminationWords { get; init; }

    /// <summary>Smallest mean log-probability (nats per token) under the student; default none.</summary>
    public double MinLogProbability { get; init; } = double.NegativeInfinity;

    /// <summary>Greatest mean log-probability (nats per token) under the student; default none.</summary>
    public double MaxLogProbability { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// Share of each domain among the kept traces, relative to one another; a domain with 0 is dropped, one that is not named is left as it
    /// is. Default: no domain is named.
    /// </summary>
    public IReadOnlyDictionary<string, double> Mixture { get; init; } = new Dictionary<string, double>();

    /// <summary>Draws what <see cref="Mixture"/> drops. Default 0.</summary>
    public ulong Seed { get; init; }
}
