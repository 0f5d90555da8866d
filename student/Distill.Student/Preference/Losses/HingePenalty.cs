namespace Distill.Student.Preference.Losses;

/// <summary>max(0, 1 − margin): SLiC (Zhao et al. 2023, arXiv 2305.10425). A pair that leads by 1 teaches nothing more.</summary>
public sealed class HingePenalty : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin) => margin < 1 ? (1 - margin, -1) : (0, 0);
}
