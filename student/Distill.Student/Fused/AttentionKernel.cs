using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>
/// Causal attention of one head over one sequence, over all keys before a query or a window of them, forward and backward, in fp32. Keys and values are read transposed,
/// [head size, stride], so that sixteen scores come from one vector per dimension without horizontal sums. Scores are
/// recomputed in the backward pass from the stored log-sum-exp (Dao et al. 2022, arXiv 2205.14135).
/// Head size is a multiple of 16; stride is the sequence length rounded up to 16, its padding zero.
/// </summary>
internal static unsafe class AttentionKernel
{
    private const int Width = 16;

    /// <summary>Writes the transpose of [length, size] rows, zero-padded to the stride.</summary>
    public static void Transpose(float* rows, float* transposed, int length, int size, int stride)
    {
        for (int d = 0; d < size; d++)
        {
            float* line = transposed + (long)d * stride;
            for (int j = 0; j < length; j++) line[j] = rows[(long)j * size + d];
            for (int j = length; j < stride; j++) line[j] = 0;
        }
    }

    /// <summary>
    /// One query row: probabilities over keys first..row in <paramref name="probabilities"/> (zero around them in their blocks, untouched
    /// elsewhere), and the mixed values.
    /// </summary>
    /// <returns>The log-sum-exp of the scaled scores.</returns>
    public static float Forward(float* query, float* keysTransposed, float* values, float* output, float* probabilities, int first, int row, int size, int stride, float scale)
    {
        int firstBlock = first / Width, blocks = (row / Width) + 1;
        Dot(query, keysTransposed, probabilities, firstBlock, blocks, size, stride);
        Mask(probabilities, first, row, scale);
        var largest = Vector512.Create(float.NegativeInfinity);
        for (int b = firstBlock; b < blocks; b++) largest = Vector512.Max(largest, Vector512.Load(probabilities + b * Width));
        float maximum = Largest(largest);
        var sum = Vector512<float>.Zero;
        for (int b = firstBlock; b < blocks; b++)
        {
            var e = Vector512.Exp(Vector512.Load(probabilities + b * Width) - Vector512.Create(maximum));
            e.Store(probabilities + b * Width);
            sum += e;
        }

        float total = Vector512.Sum(sum), inverse = 1 / total;
        Mix(probabilities, values, output, first, row + 1, size, inverse);
        return maximum + MathF.Log(total);
    }

    /// <summary>
    /// One query row backward: fills probabilities and score gradients over keys first..row (zero around them in their blocks) and
    /// the query's gradient. delta is the dot product of the output and its gradient.
    /// </summary>
    public static void BackwardQuery(
        float* query, float* outputGradient, float* keys, float* keysTransposed, float* valuesTransposed,
        float* probabilities, float* scoreGradients, float* queryGradient, int first, int row, int size, int stride, float scale, float logSumExp, float delta)
    {
        int firstBlock = first / Width, blocks = (row / Width) + 1;
        Dot(query, keysTransposed, probabilities, firstBlock, blocks, size, stride);
        Mask(probabilities, first, row, scale);
        Dot(outputGradient, valuesTransposed, scoreGradients, firstBlock, blocks, size, stride);
        for (int b = firstBlock; b < blocks; b++)
        {
            var p = Vector512.Exp(Vector512.Load(probabilities + b * Width) - Vector512.Create(logSumExp));
            p.Store(probabilities + b * Width);
            (p * (Vector512.Load(scoreGradients + b * Width) - Vector512.Create(delta)) * scale).Store(scoreGradients + b * Width);
        }

        Mix(scoreGradients, keys, queryGradient, first, row + 1, size, 1);
    }

    /// <summary>
    /// Adds Σ weights[i, j] · rows[i] to target[j] for every key j, over the query rows i that see it. Row i stands at key
    /// <paramref name="before"/> + i: so many keys belong to a prompt.
    /// </summary>
    public static void BackwardKeys(float* weights, float* rows, float* target, int count, int before, int window, int size, int stride)
    {
        for (int j = 0; j < before + count; j++)
        {
            int begin = Math.Max(0, j - before), end = (int)Math.Min(count, (long)j - before + window);
            for (int h = 0; h < size; h += Width)
            {
                var even = Vector512.Load(target + (long)j * size + h);
                var odd = Vector512<float>.Zero;
                int i = begin;
                for (; i + 1 < end; i += 2)
                {
                    even = Vector512.FusedMultiplyAdd(Vector512.Create(weights[(long)i * stride + j]), Vector512.Load(rows + (long)i * size + h), even);
                    odd = Vector512.FusedMultiplyAdd(Vector512.Create(weights[(long)(i + 1) * stride + j]), Vector512.Load(rows + (long)(i + 1) * size + h), odd);
                }

                if (i < end) even = Vector512.FusedMultiplyAdd(Vector512.Create(weights[(long)i * stride + j]), Vector512.Load(rows + (long)i * size + h), even);
                (even + odd).Store(target + (long)j * size + h);
            }
        }
    }

    private static void Dot(float* row, float* transposed, float* result, int firstBlock, int blocks, int size, int stride)
    {
        int b = firstBlock;
        for (; b + 4 <= blocks; b += 4)
        {
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            float* column = transposed + b * Width;
            for (int d = 0; d < size; d++, column += stride)
            {
                var x = Vector512.Create(row[d]);
                s0 = Vector512.FusedMultiplyAdd(x, Vector512.Load(column), s0);
                s1 = Vector512.FusedMultiplyAdd(x, Vector512.Load(column + Width), s1);
                s2 = Vector512.FusedMultiplyAdd(x, Vector512.Load(column + 2 * Width), s2);
                s3 = Vector512.FusedMultiplyAdd(x, Vector512.Load(column + 3 * Width), s3);
            }

            s0.Store(result + b * Width);
            s1.Store(result + (b + 1) * Width);
            s2.Store(result + (b + 2) * Width);
            s3.Store(result + (b + 3) * Width);
        }

        for (; b < blocks; b++)
        {
            Vector512<float> even = default, odd = default;
            float* column = transposed + b * Width;
            for (int d = 0; d < size; d += 2, column += 2 * stride)
            {
                even = Vector512.FusedMultiplyAdd(Vector512.Create(row[d]), Vector512.Load(column), even);
                odd = Vector512.FusedMultiplyAdd(Vector512.Create(row[d + 1]), Vector512.Load(column + stride), odd);
            }

            (even + odd).Store(result + b * Width);
        }
    }

    // Scales keys first..row and takes the others of their blocks out.
    private static void Mask(float* scores, int first, int row, float scale)
    {
        for (int b = first / Width; b <= row / Width; b++)
        {
            var scaled = Vector512.Load(scores + b * Width) * scale;
            if (b * Width < first || (b + 1) * Width > row)
            {
                var key = Vector512<int>.Indices + Vector512.Create(b * Width);
                var hidden = Vector512.GreaterThan(key, Vector512.Create(row)) | Vector512.LessThan(key, Vector512.Create(first));
                scaled = Vector512.ConditionalSelect(hidden.AsSingle(), Vector512.Create(float.NegativeInfinity), scaled);
            }

            scaled.Store(scores + b * Width);
        }
    }

    private static void Mix(float* weights, float* rows, float* output, int first, int end, int size, float scale)
    {
        for (int h = 0; h < size; h += Width)
        {
            Vector512<float> a = default, b = default;
            int j = first;
            for (; j + 1 < end; j += 2)
            {
                a = Vector512.FusedMultiplyAdd(Vector512.Create(weights[j]), Vector512.Load(rows + (long)j * size + h), a);
                b = Vector512.FusedMultiplyAdd(Vector512.Create(weights[j + 1]), Vector512.Load(rows + (long)(j + 1) * size + h), b);
            }

            if (j < end) a = Vector512.FusedMultiplyAdd(Vector512.Create(weights[j]), Vector512.Load(rows + (long)j * size + h), a);
            ((a + b) * scale).Store(output + h);
        }
    }

    private static float Largest(Vector512<float> values)
    {
        float largest = values[0];
        for (int i = 1; i < Width; i++) largest = MathF.Max(largest, values[i]);
        return largest;
    }
}
