namespace Distill.Student.Distillation;

/// <summary>Mixtures of two probabilities in logarithms, where neither may underflow.</summary>
internal static class Mixture
{
    /// <returns>log(share·exp(first) + (1 − share)·exp(second)).</returns>
    public static double Log(double first, double second, double share)
    {
        double a = Math.Log(share) + first, b = Math.Log(1 - share) + second, larger = Math.Max(a, b);
        return double.IsNegativeInfinity(larger) ? larger : larger + Math.Log(Math.Exp(a - larger) + Math.Exp(b - larger));
    }
}
