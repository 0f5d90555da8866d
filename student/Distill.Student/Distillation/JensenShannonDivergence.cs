namespace Distill.Student.Distillation;

/// <summary>
/// Generalised Jensen–Shannon divergence β·KL(P‖M) + (1−β)·KL(Q‖M), M = β·P + (1−β)·Q (Agarwal et al. 2024, arXiv 2306.13649). Tends to
/// 0 for β → 0 and β → 1; that the paper's code means forward and reverse KL by 0 and 1 is why those are losses of their own here.
/// </summary>
/// <param name="teacherShare">β, strictly between 0 and 1.</param>
public sealed class JensenShannonDivergence(double teacherShare) : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double mixture = Mixture.Log(teacher[i], student[i], teacherShare);
            double p = Math.Exp(teacher[i]), q = Math.Exp(student[i]);
            if (p > 0) sum += teacherShare * p * (teacher[i] - mixture);
            // The derivative of M drops out: β·P/M + (1−β)·Q/M = 1.
            derivatives[i] = q > 0 ? (1 - teacherShare) * q * (student[i] - mixture) : 0;
            sum += derivatives[i];
        }

        return sum;
    }
}
