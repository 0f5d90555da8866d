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
    bool Passed);
