using System.Numerics.Tensors;
using Distill.Student.Model;

namespace Distill.Student.Fused;

/// <summary>SwiGLU, silu(gate) · up (Shazeer 2020, arXiv 2002.05202), over rows that hold gate and up side by side.</summary>
internal static class SwiGlu
{
    /// <param name="gateUp">[tokens, 2 · width]</param>
    /// <param name="result">[tokens, width]</param>
    /// <param name="scratch">At least 3 · width.</param>
    public static void Forward(NativeRows gateUp, NativeRows result, int tokens, Span<float> scratch)
    {
        int width = result.Columns;
        Span<float> gate = scratch[..width], up = scratch.Slice(width, width), sigmoid = scratch.Slice(2 * width, width);
        for (int token = 0; token < tokens; token++)
        {
            gateUp.Load(token, 0, gate);
            gateUp.Load(token, width, up);
            TensorPrimitives.Sigmoid(gate, sigmoid);
            TensorPrimitives.Multiply(gate, sigmoid, gate);
            TensorPrimitives.Multiply(gate, up, up);
            result.Store(token, up);
        }
    }

    /// <summary>d gate = g · up · σ · (1 + gate · (1 − σ)), d up = g · gate · σ.</summary>
    /// <param name="gradient">[tokens, width]</param>
    /// <param name="gateUpGradient">[tokens, 2 · width], overwritten.</param>
    /// <param name="scratch">At least 5 · width.</param>
    public static void Backward(NativeRows gateUp, NativeRows gradient, NativeRows gateUpGradient, int tokens, Span<float> scratch)
    {
        int width = gradient.Columns;
        Span<float> gate = scratch[..width], up = scratch.Slice(width, width), sigmoid = scratch.Slice(2 * width, width),
            incoming = scratch.Slice(3 * width, width), product = scratch.Slice(4 * width, width);
        for (int token = 0; token < tokens; token++)
        {
            gateUp.Load(token, 0, gate);
            gateUp.Load(token, width, up);
            gradient.Load(token, incoming);
            TensorPrimitives.Sigmoid(gate, sigmoid);
            TensorPrimitives.Multiply(incoming, sigmoid, incoming);    // g·σ
            TensorPrimitives.Multiply(incoming, gate, product);        // g·σ·gate = d up
            gateUpGradient.Store(token, width, product);
            TensorPrimitives.Subtract(1f, sigmoid, sigmoid);
            TensorPrimitives.MultiplyAdd(product, sigmoid, incoming, gate); // g·σ·(1 + gate·(1 − σ))
            TensorPrimitives.Multiply(gate, up, gate);
            gateUpGradient.Store(token, 0, gate);
        }
    }
}
