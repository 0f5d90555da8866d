namespace Distill.Export.Parity;

/// <summary>What a rounded export may lose against the model it was made from.</summary>
/// <param name="Perplexity">Largest ratio of the perplexities.</param>
/// <param name="Divergence">Largest mean divergence per token, in nats.</param>
/// <param name="Divergence99">Largest 99th percentile of it.</param>
/// <param name="Agreement">Least share of positions at which both hold the same token for the most probable.</param>
/// <param name="AccuracyLoss">
/// Share of problems by which the accuracy may fall; refused when the 95 % interval of the difference lies below that altogether.
/// </param>
public sealed record QualityLimits(
    double Perplexity, double Divergence, double Divergence99, double Agreement, double AccuracyLoss)
{
    /// <summary>8 bits lose next to nothing: a model of 135 million parameters 0.2 % of its perplexity.</summary>
    public static QualityLimits Int8 { get; } = new(1.03, 0.02, 0.3, 0.93, 0.02);

    /// <summary>
    /// 4 bits that were chosen with care lose a few hundredths of the perplexity; rounding to nearest, on a small model, twenty to
    /// thirty. The limits lie between the two.
    /// </summary>
    public static QualityLimits Int4 { get; } = new(1.08, 0.12, 1.2, 0.85, 0.05);

    /// <summary>Null for a precision that is held to the numbers themselves.</summary>
    public static QualityLimits? For(ExportPrecision precision) => precision switch
    {
        ExportPrecision.Int8 => Int8,
        ExportPrecision.Int4 => Int4,
        _ => null,
    };

    /// <returns>A sentence for each limit that is not kept; none when all are.</returns>
    internal IEnumerable<string> Missed(QualityReport quality)
    {
        if (quality.PerplexityRatio > Perplexity)
        {
            yield return $"the perplexity is {ParityFigure.Of(quality.PerplexityRatio)} times the model's, and "
                + $"{ParityFigure.Of(Perplexity)} are allowed";
        }

        if (quality.MeanDivergence > Divergence)
        {
            yield return $"the divergence is {ParityFigure.Of(quality.MeanDivergence)} nats a token, and "
                + $"{ParityFigure.Of(Divergence)} are allowed";
        }

        if (quality.Divergence99 > Divergence99)
        {
            yield return $"one token in a hundred has a divergence above {ParityFigure.Of(quality.Divergence99)} nats, and "
                + $"{ParityFigure.Of(Divergence99)} are allowed";
        }

        if (quality.TopAgreement < Agreement)
        {
            yield return $"the most probable token is the model's at {ParityFigure.Percent(quality.TopAgreement)} of the positions, and "
                + $"{ParityFigure.Percent(Agreement)} are asked for";
        }
    }

    /// <inheritdoc cref="Missed(QualityReport)"/>
    internal IEnumerable<string> Missed(TaskAccuracy accuracy)
    {
        if (!accuracy.IsTested || accuracy.DifferenceInterval95.High >= -AccuracyLoss) yield break;
        yield return $"it solves {ParityFigure.Percent(accuracy.Exported)} of the problems and the model "
            + $"{ParityFigure.Percent(accuracy.Model)} ({ParityFigure.Points(accuracy.Difference)} points, at best "
            + $"{ParityFigure.Points(accuracy.DifferenceInterval95.High)}), and a loss of {ParityFigure.Percent(AccuracyLoss)} is allowed";
    }
}
