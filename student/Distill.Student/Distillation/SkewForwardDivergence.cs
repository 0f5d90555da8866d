namespace Distill.Student.Distillation;

/// <summary>KL(P‖α·P + (1−α)·Q): forward KL whose gradient stays bounded where Q is small (DistiLLM, Ko et al. 2024, arXiv 2402.03898).</summary>
/// <param name="skew">α, strictly between 0 and 1.</param>
public sealed class SkewForwardDivergence(double skew) : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double p = Math.Exp(teacher[i]), mixture = Mixture.Log(teacher[i], student[i], skew);
            if (p > 0) sum += p * (teacher[i] - mixture);
            derivatives[i] = p > 0 ? -p * (1 - skew) * Math.Exp(student[i] - mixture) : 0;
        }

        return sum;
    }
}
