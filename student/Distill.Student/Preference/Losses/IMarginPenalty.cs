namespace Distill.Student.Preference.Losses;

/// <summary>A loss of one number: by how much the chosen completion's reward leads the rejected one's. Stateless.</summary>
public interface IMarginPenalty
{
    /// <returns>Value and derivative by the margin.</returns>
    (double Value, double Slope) Of(double margin);
}
