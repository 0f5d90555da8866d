using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// One matrix product of a layer with its bias, if there is one: views in matmul precision of neighbours in the flat layout, and where
/// their gradients go. Views share the memory of the vectors they were cut from. The owner disposes it.
/// </summary>
internal sealed class Projection : IDisposable
{
    private readonly Tensor matrix; // [out, in]
    private readonly Tensor? bias;  // [out]
    private readonly long offset, biasOffset;

    /// <param name="weight">The parameter that the matrix begins with.</param>
    /// <param name="biasName">The parameter that the bias begins with; null for none.</param>
    public Projection(FlatParameters parameters, Tensor matmulValues, string weight, string? biasName, long rows, long columns)
    {
        offset = parameters.OffsetOf(weight);
        matrix = matmulValues.narrow(0, offset, rows * columns).view(rows, columns).DetachFromDisposeScope();
        if (biasName is null) return;
        biasOffset = parameters.OffsetOf(biasName);
        bias = matmulValues.narrow(0, biasOffset, rows).DetachFromDisposeScope();
    }

    /// <param name="input">[tokens, in]</param>
    /// <returns>[tokens, out]</returns>
    public Tensor Forward(Tensor input) => bias is null ? input.mm(matrix.t()) : addmm(bias, input, matrix.t(), beta: 1, alpha: 1);

    /// <summary>Adds the gradients of matrix and bias.</summary>
    /// <param name="input">As given to <see cref="Forward"/>.</param>
    /// <param name="outputGradient">[tokens, out]</param>
    public void AddGradient(Tensor input, Tensor outputGradient, GradientShare gradient)
    {
        gradient.Add(offset, outputGradient.t().mm(input));
        if (bias is not null) gradient.AddBias(biasOffset, outputGradient.sum(0, keepdim: false, ScalarType.Float32));
    }

    /// <returns>Gradient by the input, [tokens, in].</returns>
    public Tensor Backward(Tensor outputGradient) => outputGradient.mm(matrix);

    public void Dispose()
    {
        matrix.Dispose();
        bias?.Dispose();
    }
}
