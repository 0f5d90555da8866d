using Distill.Export.Parity.Localisation;
using Distill.Export.Parity.Texts;

namespace Distill.Export.Parity;

/// <summary>How far an exported model is from the one it was made from.</summary>
/// <param name="MaxAbsLogitDiff">Largest difference of any logit at any position, with and without the cache.</param>
/// <param name="MaxAbsLogit">Largest magnitude among the reference's logits, which the tolerance is relative to.</param>
/// <param name="PositionsCompared">Positions whose logits were compared.</param>
/// <param name="GreedyTokensCompared">Tokens the exported model decoded greedily through its cache.</param>
/// <param name="GreedyMismatches">Those of them that are not the reference's choice, ties left out.</param>
/// <param name="GreedyTies">Those that differ where the reference itself is undecided within the logit tolerance.</param>
/// <param name="Tolerance">What was demanded.</param>
/// <param name="Passed">Whether it was met.</param>
public sealed record ParityReport(
    double MaxAbsLogitDiff,
    double MaxAbsLogit,
    long PositionsCompared,
    long GreedyTokensCompared,
    long GreedyMismatches,
    long GreedyTies,
    ParityTolerance Tolerance,
    bool Passed)
{
    /// <summary>
    /// Largest difference of logits decoded through the cache, beside other rows, from those that the export gives for the sequence read
    /// whole; null when it was not looked at.
    /// </summary>
    public double? MaxCacheDiff { get; init; }

    /// <summary>Largest difference of logits decoded beside other rows from those decoded alone; null when it was not looked at.</summary>
    public double? MaxBatchDiff { get; init; }

    /// <summary>What rounding costs; null for an export that is held to the numbers themselves.</summary>
    public QualityReport? Quality { get; init; }

    /// <summary>What of it was allowed.</summary>
    public QualityLimits? QualityLimits { get; init; }

    /// <summary>
    /// What <see cref="ExportPrecisions.DynamicInt8File"/> costs, which browsers load of the same folder; null where there is none.
    /// </summary>
    public QualityReport? DynamicInt8 { get; init; }

    /// <summary>Null where no problems were at hand, or the export is held to the numbers.</summary>
    public TaskAccuracy? Accuracy { get; init; }

    /// <summary>Other runtimes over the same folder; null when none was asked for.</summary>
    public IReadOnlyList<RuntimeParity>? Runtimes { get; init; }

    /// <summary>Whether texts and chats become the ids of training; null when it was not looked at.</summary>
    public TextParity? Texts { get; init; }

    /// <summary>Where the first difference lies; null for an export that passed, or when it was not looked for.</summary>
    public FaultSearch? Fault { get; init; }

    /// <summary>Why the export is refused, a sentence each; null in reports of earlier versions, empty when it passed.</summary>
    public IReadOnlyList<string>? Refusals { get; init; }
}

/// <summary>What the parity gate accepts.</summary>
/// <param name="RelativeLogits">Largest logit difference, relative to the largest logit of the reference.</param>
/// <param name="MismatchShare">Share of greedy tokens that may differ from the reference's choice.</param>
public sealed record ParityTolerance(double RelativeLogits, double MismatchShare)
{
    /// <summary>fp32: the same numbers up to the order of additions, and the same tokens.</summary>
    public static ParityTolerance Exact { get; } = new(1e-4, 0);

    /// <summary>
    /// Largest difference between the export's own ways of reading (cached or whole, alone or beside others), relative to the largest
    /// logit.
    /// </summary>
    public double RelativePaths { get; init; } = 1e-4;

    /// <summary>What an export of a precision must meet against the model it was made from.</summary>
    public static ParityTolerance For(ExportPrecision precision) => precision.Tolerance();
}

/// <summary>What the gate runs. Sequences and prompts longer than the model reads are a fault of the caller.</summary>
public sealed record ParityInputs
{
    /// <summary>Prompt and completion together; logits are compared at every position.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Sequences { get; init; }

    /// <summary>Completed greedily through the exported model's cache.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Prompts { get; init; }

    /// <summary>Tokens per prompt, fewer where the context or a stop token ends it. Default 128.</summary>
    public int MaxNewTokens { get; init; } = 128;

    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Prompts decoded together, of unequal length: the way the model is used. Default 8.</summary>
    public int Slots { get; init; } = 8;
}
