using Distill.Student.Training;

namespace Distill.Student.Distillation;

/// <summary>
/// How far a student's distribution Q lies from a teacher's P over the same few classes: a sum over the classes, in nats. Immutable,
/// thread-safe.
/// </summary>
public interface IDivergence
{
    /// <summary>What one class adds to the sum, and the derivative of that by log Q, all classes' taken as free.</summary>
    /// <param name="teacher">log P, finite or −∞.</param>
    /// <param name="student">log Q.</param>
    (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>;
}

/// <summary>KL(P‖Q) = Σ P·(log P − log Q): covers everything the teacher does (Hinton et al. 2015, arXiv 1503.02531).</summary>
internal sealed class ForwardDivergence : IDivergence
{
    public (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>
    {
        var p = T.Exp(teacher);
        return (T.Where(p, p * (teacher - student)), -p);
    }
}

/// <summary>−Σ P·log Q = KL(P‖Q) + H(P): the same gradient as forward KL, another value.</summary>
internal sealed class CrossEntropyDivergence : IDivergence
{
    public (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>
    {
        var p = T.Exp(teacher);
        return (T.Where(p, -(p * student)), -p);
    }
}

/// <summary>KL(Q‖P) = Σ Q·(log Q − log P): keeps to what the teacher does most (Gu et al. 2024, arXiv 2306.08543).</summary>
internal sealed class ReverseDivergence : IDivergence
{
    public (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>
    {
        T q = T.Exp(student), difference = T.Where(q, student - teacher);
        return (q * difference, q * (difference + T.Of(1)));
    }
}

/// <summary>
/// KL(P‖α·P + (1−α)·Q): forward KL whose gradient stays bounded where Q is small (DistiLLM, Ko et al. 2024, arXiv 2402.03898).
/// </summary>
/// <param name="skew">α, strictly between 0 and 1.</param>
internal sealed class SkewForwardDivergence(double skew) : IDivergence
{
    public (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>
    {
        T p = T.Exp(teacher), mixture = LogMixture.Of(teacher, student, skew);
        return (T.Where(p, p * (teacher - mixture)), T.Where(p, (skew - 1) * p * T.Exp(student - mixture)));
    }
}

/// <summary>KL(Q‖(1−α)·P + α·Q): reverse KL that stays finite where P is small (DistiLLM, Ko et al. 2024, arXiv 2402.03898).</summary>
/// <param name="skew">α, strictly between 0 and 1.</param>
internal sealed class SkewReverseDivergence(double skew) : IDivergence
{
    public (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>
    {
        T q = T.Exp(student), distance = student - LogMixture.Of(student, teacher, skew);
        return (T.Where(q, q * distance), T.Where(q, q * (distance + T.Of(1) - skew * T.Exp(distance))));
    }
}

/// <summary>
/// Generalised Jensen–Shannon divergence β·KL(P‖M) + (1−β)·KL(Q‖M), M = β·P + (1−β)·Q (Agarwal et al. 2024, arXiv 2306.13649). Tends to
/// 0 for β → 0 and β → 1; that the paper's code means forward and reverse KL by 0 and 1 is why those are losses of their own here.
/// </summary>
/// <param name="teacherShare">β, strictly between 0 and 1.</param>
internal sealed class JensenShannonDivergence(double teacherShare) : IDivergence
{
    public (T Value, T Slope) Of<T>(T teacher, T student)
        where T : struct, ILossValue<T>
    {
        T p = T.Exp(teacher), q = T.Exp(student), mixture = LogMixture.Of(teacher, student, teacherShare);
        // The derivative of M drops out: β·P/M + (1−β)·Q/M = 1.
        var slope = T.Where(q, (1 - teacherShare) * q * (student - mixture));
        return (T.Where(p, teacherShare * p * (teacher - mixture)) + slope, slope);
    }
}

/// <summary>Mixtures of two probabilities in logarithms, where neither may underflow.</summary>
internal static class LogMixture
{
    /// <returns>log(share·exp(first) + (1 − share)·exp(second)).</returns>
    public static T Of<T>(T first, T second, double share)
        where T : struct, ILossValue<T> =>
        T.LogAddExp(T.Of(Math.Log(share)) + first, T.Of(Math.Log(1 - share)) + second);
}
