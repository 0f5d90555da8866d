using System.Runtime.InteropServices;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Export.Quantization;

/// <summary>
/// The upper Cholesky factor of the inverse of a damped Hessian, which <see cref="GptqRounding"/> walks along: with H = R·Rᵀ and R upper
/// triangular, H⁻¹ = R⁻ᵀ·R⁻¹, so that U = R⁻¹. fp64.
/// </summary>
internal static class InverseFactor
{
    /// <summary>Share of the mean diagonal that is added to the diagonal, as in the paper.</summary>
    public const double Damping = 0.01;

    /// <param name="hessian">[columns, columns] fp64, symmetric.</param>
    /// <returns>U, [columns, columns], zeros below the diagonal; in the caller's dispose scope.</returns>
    /// <exception cref="InvalidDataException">Not a number, or not positive definite after damping.</exception>
    public static Tensor Of(Tensor hessian)
    {
        using var scope = NewDisposeScope();
        double mean = hessian.diagonal().mean().item<double>();
        if (!double.IsFinite(mean))
            throw new InvalidDataException("The activations of a layer are no numbers: the model cannot be calibrated.");
        var identity = eye(hessian.shape[0], dtype: ScalarType.Float64);
        if (mean == 0) return identity.MoveToOuterDisposeScope(); // nothing was seen: to nearest
        // R in reversed order is the lower factor of the reversed matrix.
        var (lower, info) = linalg.cholesky_ex(hessian.add(identity, KeptScalar.Of(Damping * mean)).flip(0, 1));
        if (info.item<int>() != 0) throw new InvalidDataException("The activations of a layer cannot be factored: they are not finite.");
        return linalg.solve_triangular(lower, identity, upper: false).flip(0, 1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The order and its factor as numbers.</summary>
    /// <param name="hessian">[columns, columns] fp64, symmetric.</param>
    /// <param name="falling">By falling diagonal rather than as the columns lie.</param>
    public static ColumnOrder Order(Tensor hessian, bool falling)
    {
        using var scope = NewDisposeScope();
        double[] diagonal = Values(hessian.diagonal());
        if (!falling) return new(null, Values(Of(hessian)), diagonal);
        int[] order = ColumnOrder.Falling(diagonal);
        var indices = tensor(order.Select(column => (long)column).ToArray());
        return new(order, Values(Of(hessian.index_select(0, indices).index_select(1, indices))), diagonal);
    }

    internal static double[] Values(Tensor values)
    {
        using var dense = values.contiguous();
        return MemoryMarshal.Cast<byte, double>(dense.bytes).ToArray();
    }
}
