using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>SwiGLU, silu(gate) · up (Shazeer 2020, arXiv 2002.05202), over rows that hold gate and up side by side.</summary>
internal static class SwiGlu
{
    private const int Block = 16;

    /// <param name="gateUp">[tokens, 2 · width]</param>
    /// <param name="result">[tokens, width], receives the result.</param>
    public static void Forward(NativeRows gateUp, NativeRows result, int tokens)
    {
        int width = result.Columns, column = 0;
        for (int token = 0; token < tokens; token++)
        {
            for (column = 0; column + Block <= width; column += Block)
                result.Store16(token, column, Activated(gateUp.Load16(token, column), gateUp.Load16(token, width + column)));
            for (; column < width; column++)
                result[token, column] =
                    Activated(Vector512.Create(gateUp[token, column]), Vector512.Create(gateUp[token, width + column]))[0];
        }
    }

    /// <param name="gradient">[tokens, width]</param>
    /// <param name="gateUpGradient">[tokens, 2 · width], overwritten.</param>
    public static void Backward(NativeRows gateUp, NativeRows gradient, NativeRows gateUpGradient, int tokens)
    {
        int width = gradient.Columns, column;
        for (int token = 0; token < tokens; token++)
        {
            for (column = 0; column + Block <= width; column += Block)
            {
                var (gate, up) = Slopes(gateUp.Load16(token, column), gateUp.Load16(token, width + column), gradient.Load16(token, column));
                gateUpGradient.Store16(token, column, gate);
                gateUpGradient.Store16(token, width + column, up);
            }

            for (; column < width; column++)
            {
                var (gate, up) =
                    Slopes(Vector512.Create(gateUp[token, column]), Vector512.Create(gateUp[token, width + column]),
                    Vector512.Create(gradient[token, column]));
                (gateUpGradient[token, column], gateUpGradient[token, width + column]) = (gate[0], up[0]);
            }
        }
    }

    private static Vector512<float> Activated(Vector512<float> gate, Vector512<float> up) => gate * Sigmoid(gate) * up;

    // d gate = g · up · σ · (1 + gate · (1 − σ)), d up = g · gate · σ
    private static (Vector512<float> Gate, Vector512<float> Up) Slopes(
        Vector512<float> gate, Vector512<float> up, Vector512<float> gradient)
    {
        var sigmoid = Sigmoid(gate);
        var scaled = gradient * sigmoid;
        return (scaled * up * Vector512.FusedMultiplyAdd(gate, Vector512<float>.One - sigmoid, Vector512<float>.One), scaled * gate);
    }

    private static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exponential.Of(-x));
}

/// <summary>
/// e to the power of sixteen values in fp32, within two units in the last place (.NET's own goes through fp64 and takes several times as
/// long): Cody–Waite reduction by ln 2 in two parts, then the Taylor polynomial of degree 7 on |r| ≤ ln 2 / 2, whose remainder is below
/// 6e-9.
/// </summary>
internal static class Exponential
{
    // beyond them the result is 0 (what is left of it is no normal number) and infinity
    private const float Lowest = -87.33f, Highest = 88.72f;

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
        result = Vector512.ConditionalSelect(
            Vector512.GreaterThan(x, Vector512.Create(Highest)), Vector512.Create(float.PositiveInfinity), result);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x), result, x); // NaN stays
    }

    private static Vector512<float> Power(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();
}
