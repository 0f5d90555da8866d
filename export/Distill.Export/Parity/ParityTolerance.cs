namespace Distill.Export.Parity;

/// <summary>What the parity gate accepts.</summary>
/// <param name="RelativeLogits">Largest logit difference, relative to the largest logit of the reference.</param>
/// <param name="MismatchShare">Share of greedy tokens that may differ from the reference's choice.</param>
public sealed record ParityTolerance(double RelativeLogits, double MismatchShare)
{
    /// <summary>fp32: the same numbers up to the order of additions, and the same tokens.</summary>
    public static ParityTolerance Exact { get; } = new(1e-4, 0);
}
