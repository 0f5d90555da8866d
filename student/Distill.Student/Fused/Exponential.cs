using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>
/// e to the power of sixteen values in fp32, within two units in the last place (.NET's own goes through fp64 and takes several times as long):
/// Cody–Waite reduction by ln 2 in two parts, then the Taylor polynomial of degree 7 on |r| ≤ ln 2 / 2, whose remainder is below 6e-9.
/// </summary>
internal static class Exponential
{
    private const float Lowest = -87.33f, Highest = 88.72f; // beyond them the result is 0 (what is left of it is no normal number) and infinity

    public static Vector512<float> Of(Vector512<float> x)
    {
        var bounded = Vector512.Min(Vector512.Max(x, Vector512.Create(Lowest)), Vector512.Create(Highest));
        var whole = Vector512.Floor(Vector512.FusedMultiplyAdd(bounded, Vector512.Create(1.44269504f), Vector512.Create(0.5f)));
        var r = Vector512.FusedMultiplyAdd(whole, Vector512.Create(-0.693145752f), bounded);
        r = Vector512.FusedMultiplyAdd(whole, Vector512.Create(-1.42860677e-6f), r);
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1 / 5040f), r, Vector512.Create(1 / 720f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1 / 120f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1 / 24f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1 / 6f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        // 2^128 is no number, but the product with two halves of the exponent is.
        var exponent = Vector512.ConvertToInt32Native(whole);
        var half = exponent >> 1;
        var result = p * Power(half) * Power(exponent - half);
        result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(Lowest)), Vector512<float>.Zero, result);
        result = Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(Highest)), Vector512.Create(float.PositiveInfinity), result);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x), result, x); // NaN stays
    }

    private static Vector512<float> Power(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();
}
