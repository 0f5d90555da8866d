namespace Distill.Student.Distillation;

/// <summary>KL(Q‖(1−α)·P + α·Q): reverse KL that stays finite where P is small (DistiLLM, Ko et al. 2024, arXiv 2402.03898).</summary>
/// <param name="skew">α, strictly between 0 and 1.</param>
public sealed class SkewReverseDivergence(double skew) : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double q = Math.Exp(student[i]);
            derivatives[i] = 0;
            if (q == 0) continue;
            double mixture = Mixture.Log(student[i], teacher[i], skew);
            sum += q * (student[i] - mixture);
            derivatives[i] = q * (student[i] - mixture + 1 - skew * Math.Exp(student[i] - mixture));
        }

        return sum;
    }
}
