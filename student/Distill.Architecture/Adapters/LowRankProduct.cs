using System.Numerics.Tensors;

namespace Distill.Architecture;

/// <summary>W + scaling·B·A in fp32, row by row.</summary>
internal static class LowRankProduct
{
    /// <param name="values">W [out, in], changed.</param>
    /// <param name="a">[rank, in]</param>
    /// <param name="b">[out, rank]</param>
    public static void Add(float[] values, float[] a, float[] b, PeftTarget target)
    {
        int rank = target.Rank, columns = checked((int)target.In);
        float[] product = new float[columns];
        for (int row = 0; row < target.Out; row++)
        {
            product.AsSpan().Clear();
            for (int k = 0; k < rank; k++)
                TensorPrimitives.MultiplyAdd(a.AsSpan(k * columns, columns), b[(row * rank) + k], product, product);
            var weights = values.AsSpan(row * columns, columns);
            TensorPrimitives.MultiplyAdd(product, target.Scaling, weights, weights);
        }
    }
}
