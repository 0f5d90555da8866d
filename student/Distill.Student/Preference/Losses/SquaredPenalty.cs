namespace Distill.Student.Preference.Losses;

/// <summary>(d − 1/2β)² with d = margin/β: IPO (Azar et al. 2023, arXiv 2310.12036), which does not drive certain pairs to infinity.</summary>
public sealed class SquaredPenalty(double beta) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin)
    {
        double excess = (margin - 0.5) / beta;
        return (excess * excess, 2 * excess / beta);
    }
}
