namespace Distill.Student.Preference;

/// <summary>The logistic function and its logarithm, without overflow for any argument.</summary>
internal static class Logistic
{
    public static double Of(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    /// <summary>log σ(x); its derivative is σ(−x).</summary>
    public static double Log(double x) => Math.Min(x, 0) - Math.Log(1 + Math.Exp(-Math.Abs(x)));

    /// <summary>dσ/dx.</summary>
    public static double Slope(double x) => Of(x) * Of(-x);
}
