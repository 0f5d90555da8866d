namespace Distill.Student.Preference.Losses;

/// <summary>−log σ(margin − lead): DPO (Rafailov et al. 2023, arXiv 2305.18290); with a lead and without a reference SimPO (Meng et al. 2024, arXiv 2405.14734).</summary>
/// <param name="lead">What the margin should exceed.</param>
public sealed class SigmoidPenalty(double lead = 0) : IMarginPenalty
{
    public (double Value, double Slope) Of(double margin) => (-Logistic.Log(margin - lead), -Logistic.Of(lead - margin));
}
