namespace Distill.Student.Distillation;

/// <summary>−Σ P·log Q = KL(P‖Q) + H(P): the same gradient as forward KL, another value.</summary>
public sealed class CrossEntropyDivergence : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double p = Math.Exp(teacher[i]);
            if (p > 0) sum -= p * student[i];
            derivatives[i] = -p;
        }

        return sum;
    }
}
