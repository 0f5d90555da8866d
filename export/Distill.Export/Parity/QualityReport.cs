using Distill.Evaluation.Statistics;

namespace Distill.Export.Parity;

/// <summary>A text to read two models' distributions on.</summary>
/// <param name="Tokens">At least two.</param>
/// <param name="First">The first token that is measured, at least 1: a prompt is read and not measured.</param>
internal sealed record MeasuredText(IReadOnlyList<int> Tokens, int First = 1)
{
    /// <summary>Tokens of the longest text that the gate measures on: the logits of all of them are held at once.</summary>
    public const int Longest = 512;

    /// <summary>Texts of one group are of one problem, and not independent of each other; null: the text is its own.</summary>
    public int? Group { get; init; }

    /// <summary>
    /// A reply behind its prompt, no longer than the gate reads: of a long prompt the end, so that something of both is left.
    /// </summary>
    /// <param name="longest">Tokens that the model reads.</param>
    /// <param name="reply">At least one.</param>
    public static MeasuredText Of(IReadOnlyList<int> prompt, IReadOnlyList<int> reply, int longest)
    {
        int most = Math.Min(longest, Longest);
        int[] kept = [.. prompt.TakeLast(Math.Max(most - reply.Count, most / 2))];
        return new([.. kept, .. reply.Take(most - kept.Length)], kept.Length);
    }
}

/// <summary>
/// How much of a model is left in another form of it, over texts. Finite, whatever the model gave, so that it can be written as JSON.
/// </summary>
/// <param name="Texts">That were read.</param>
/// <param name="Tokens">That were measured.</param>
/// <param name="Perplexity">Of those tokens under the form.</param>
/// <param name="ReferencePerplexity">The same under the model it was made from.</param>
/// <param name="PerplexityRatio">The first over the second; 1: nothing lost.</param>
/// <param name="PerplexityRatioInterval95">Over resampled problems, or texts; the ratio itself where there is one.</param>
/// <param name="MeanDivergence">
/// Mean over the tokens of the Kullback-Leibler divergence KL(model ‖ form) of the next token's distribution, in nats.
/// </param>
/// <param name="Divergence99">Its 99th percentile: the worst that one token in a hundred sees.</param>
/// <param name="TopAgreement">Share of the positions at which both hold the same token for the most probable.</param>
public sealed record QualityReport(
    int Texts,
    long Tokens,
    double Perplexity,
    double ReferencePerplexity,
    double PerplexityRatio,
    Interval PerplexityRatioInterval95,
    double MeanDivergence,
    double Divergence99,
    double TopAgreement);
