namespace Distill.Student.Distillation;

/// <summary>KL(Q‖P) = Σ Q·(log Q − log P): keeps to what the teacher does most (Gu et al. 2024, arXiv 2306.08543).</summary>
public sealed class ReverseDivergence : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double q = Math.Exp(student[i]), difference = q > 0 ? student[i] - teacher[i] : 0;
            sum += q * difference;
            derivatives[i] = q * (difference + 1);
        }

        return sum;
    }
}
