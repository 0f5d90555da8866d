namespace Distill.Student.Distillation;

/// <summary>KL(P‖Q) = Σ P·(log P − log Q): covers everything the teacher does (Hinton et al. 2015, arXiv 1503.02531).</summary>
public sealed class ForwardDivergence : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double p = Math.Exp(teacher[i]);
            if (p > 0) sum += p * (teacher[i] - student[i]);
            derivatives[i] = -p;
        }

        return sum;
    }
}
