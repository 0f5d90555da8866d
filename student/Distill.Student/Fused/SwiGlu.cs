using System.Runtime.Intrinsics;
using Distill.Student.Model;

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
                result[token, column] = Activated(Vector512.Create(gateUp[token, column]), Vector512.Create(gateUp[token, width + column]))[0];
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
                var (gate, up) = Slopes(Vector512.Create(gateUp[token, column]), Vector512.Create(gateUp[token, width + column]), Vector512.Create(gradient[token, column]));
                (gateUpGradient[token, column], gateUpGradient[token, width + column]) = (gate[0], up[0]);
            }
        }
    }

    private static Vector512<float> Activated(Vector512<float> gate, Vector512<float> up) => gate * Sigmoid(gate) * up;

    // d gate = g · up · σ · (1 + gate · (1 − σ)), d up = g · gate · σ
    private static (Vector512<float> Gate, Vector512<float> Up) Slopes(Vector512<float> gate, Vector512<float> up, Vector512<float> gradient)
    {
        var sigmoid = Sigmoid(gate);
        var scaled = gradient * sigmoid;
        return (scaled * up * Vector512.FusedMultiplyAdd(gate, Vector512<float>.One - sigmoid, Vector512<float>.One), scaled * gate);
    }

    private static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exponential.Of(-x));
}
