namespace Distill.Student.Distillation;

/// <summary>How far a student's distribution Q lies from a teacher's P over the same few classes. Immutable, thread-safe.</summary>
public interface IDivergence
{
    /// <summary>Sum over the classes, in nats.</summary>
    /// <param name="teacher">[classes]: log P, finite or −∞.</param>
    /// <param name="student">[classes]: log Q.</param>
    /// <param name="derivatives">[classes]: by each entry of <paramref name="student"/>, all taken as free; to be filled.</param>
    double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives);
}

/// <summary>KL(P‖Q) = Σ P·(log P − log Q): covers everything the teacher does (Hinton et al. 2015, arXiv 1503.02531).</summary>
internal sealed class ForwardDivergence : IDivergence
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

/// <summary>−Σ P·log Q = KL(P‖Q) + H(P): the same gradient as forward KL, another value.</summary>
internal sealed class CrossEntropyDivergence : IDivergence
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

/// <summary>KL(Q‖P) = Σ Q·(log Q − log P): keeps to what the teacher does most (Gu et al. 2024, arXiv 2306.08543).</summary>
internal sealed class ReverseDivergence : IDivergence
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

/// <summary>
/// KL(P‖α·P + (1−α)·Q): forward KL whose gradient stays bounded where Q is small (DistiLLM, Ko et al. 2024, arXiv 2402.03898).
/// </summary>
/// <param name="skew">α, strictly between 0 and 1.</param>
internal sealed class SkewForwardDivergence(double skew) : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double p = Math.Exp(teacher[i]), mixture = LogMixture.Of(teacher[i], student[i], skew);
            if (p > 0) sum += p * (teacher[i] - mixture);
            derivatives[i] = p > 0 ? -p * (1 - skew) * Math.Exp(student[i] - mixture) : 0;
        }

        return sum;
    }
}

/// <summary>KL(Q‖(1−α)·P + α·Q): reverse KL that stays finite where P is small (DistiLLM, Ko et al. 2024, arXiv 2402.03898).</summary>
/// <param name="skew">α, strictly between 0 and 1.</param>
internal sealed class SkewReverseDivergence(double skew) : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double q = Math.Exp(student[i]);
            derivatives[i] = 0;
            if (q == 0) continue;
            double mixture = LogMixture.Of(student[i], teacher[i], skew);
            sum += q * (student[i] - mixture);
            derivatives[i] = q * (student[i] - mixture + 1 - skew * Math.Exp(student[i] - mixture));
        }

        return sum;
    }
}

/// <summary>
/// Generalised Jensen–Shannon divergence β·KL(P‖M) + (1−β)·KL(Q‖M), M = β·P + (1−β)·Q (Agarwal et al. 2024, arXiv 2306.13649). Tends to
/// 0 for β → 0 and β → 1; that the paper's code means forward and reverse KL by 0 and 1 is why those are losses of their own here.
/// </summary>
/// <param name="teacherShare">β, strictly between 0 and 1.</param>
internal sealed class JensenShannonDivergence(double teacherShare) : IDivergence
{
    public double Evaluate(ReadOnlySpan<double> teacher, ReadOnlySpan<double> student, Span<double> derivatives)
    {
        double sum = 0;
        for (int i = 0; i < teacher.Length; i++)
        {
            double mixture = LogMixture.Of(teacher[i], student[i], teacherShare);
            double p = Math.Exp(teacher[i]), q = Math.Exp(student[i]);
            if (p > 0) sum += teacherShare * p * (teacher[i] - mixture);
            // The derivative of M drops out: β·P/M + (1−β)·Q/M = 1.
            derivatives[i] = q > 0 ? (1 - teacherShare) * q * (student[i] - mixture) : 0;
            sum += derivatives[i];
        }

        return sum;
    }
}

/// <summary>Mixtures of two probabilities in logarithms, where neither may underflow.</summary>
internal static class LogMixture
{
    /// <returns>log(share·exp(first) + (1 − share)·exp(second)).</returns>
    public static double Of(double first, double second, double share)
    {
        double a = Math.Log(share) + first, b = Math.Log(1 - share) + second, larger = Math.Max(a, b);
        return double.IsNegativeInfinity(larger) ? larger : larger + Math.Log(Math.Exp(a - larger) + Math.Exp(b - larger));
    }
}
