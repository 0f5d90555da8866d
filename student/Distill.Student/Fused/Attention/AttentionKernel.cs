using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>
/// Causal attention of one head over one segment, over all keys before a query or a window of them, forward and backward, in fp32, a tile
/// of query rows at a time. Keys and values are read transposed, so that sixteen scores come from one vector per dimension without
/// horizontal sums. Scores are recomputed in the backward pass from the stored log-sum-exp (Dao et al. 2022, arXiv 2205.14135). Layouts are
/// those of <see cref="AttentionProducts"/>; head size is a multiple of 16.
/// </summary>
internal static unsafe class AttentionKernel
{
    private const int Width = AttentionProducts.Width, Rows = AttentionProducts.Rows, Block = Width * Rows;

    /// <summary>A tile of query rows: the mixed values, and the log-sum-exp of each row's scaled scores.</summary>
    /// <param name="queries">
    /// [<see cref="Rows"/>, size]; rows past <paramref name="tile"/> are computed on zeros or on what lies there and thrown away.
    /// </param>
    /// <param name="probabilities">A tile's scores, scratch.</param>
    /// <param name="output">[<see cref="Rows"/>, size]</param>
    public static void Forward(
        float* queries, float* keysTransposed, float* values, float* output, float* probabilities, float* logSumExp, AttentionTile tile,
        int size, float scale)
    {
        AttentionProducts.Dot(queries, keysTransposed, probabilities, tile.FirstBlock, tile.EndBlock, size);
        float* inverse = stackalloc float[Rows];
        for (int r = 0; r < Rows; r++)
        {
            float* row = probabilities + r * Width;
            Mask(row, tile, r, scale);
            var largest = Vector512.Create(float.NegativeInfinity);
            for (int b = tile.FirstBlock; b < tile.EndBlock; b++) largest = Vector512.Max(largest, Vector512.Load(row + b * Block));
            float maximum = Largest(largest);
            var sum = Vector512<float>.Zero;
            for (int b = tile.FirstBlock; b < tile.EndBlock; b++)
            {
                var e = Exponential.Of(Vector512.Load(row + b * Block) - Vector512.Create(maximum));
                e.Store(row + b * Block);
                sum += e;
            }

            float total = Vector512.Sum(sum);
            inverse[r] = 1 / total;
            logSumExp[r] = maximum + MathF.Log(total);
        }

        AttentionProducts.Mix(probabilities, values, output, tile.FirstKey(0), tile.EndKey, size);
        for (int r = 0; r < Rows; r++)
            for (int h = 0; h < size; h += Width) (Vector512.Load(output + r * size + h) * inverse[r]).Store(output + r * size + h);
    }

    /// <summary>
    /// A tile of query rows backward: fills probabilities and score gradients of the tile's blocks and the queries' gradients.
    /// </summary>
    /// <param name="queries">
    /// [<see cref="Rows"/>, size], likewise <paramref name="outputGradients"/> and <paramref name="queryGradients"/>.
    /// </param>
    /// <param name="probabilities">A tile's scores, likewise <paramref name="scoreGradients"/>.</param>
    /// <param name="delta">[<see cref="Rows"/>]: each row's dot product of the output and its gradient.</param>
    public static void BackwardQueries(
        float* queries, float* outputGradients, float* keys, float* keysTransposed, float* valuesTransposed, float* probabilities,
        float* scoreGradients,
        float* queryGradients, float* logSumExp, float* delta, AttentionTile tile, int size, float scale)
    {
        AttentionProducts.Dot(queries, keysTransposed, probabilities, tile.FirstBlock, tile.EndBlock, size);
        AttentionProducts.Dot(outputGradients, valuesTransposed, scoreGradients, tile.FirstBlock, tile.EndBlock, size);
        for (int r = 0; r < Rows; r++)
        {
            float* row = probabilities + r * Width, gradient = scoreGradients + r * Width;
            Mask(row, tile, r, scale);
            for (int b = tile.FirstBlock; b < tile.EndBlock; b++)
            {
                var p = Exponential.Of(Vector512.Load(row + b * Block) - Vector512.Create(logSumExp[r]));
                p.Store(row + b * Block);
                (p * (Vector512.Load(gradient + b * Block) - Vector512.Create(delta[r])) * scale).Store(gradient + b * Block);
            }
        }

        AttentionProducts.Mix(scoreGradients, keys, queryGradients, tile.FirstKey(0), tile.EndKey, size);
    }

    /// <summary>
    /// Adds Σ scores[i, j] · rows[i] to target[j] for every key j, over the query rows i that see it. Row i stands at key
    /// <paramref name="before"/> + i: so many keys belong to a prompt.
    /// </summary>
    /// <param name="scores">Of tile after tile of query rows, <paramref name="tileLength"/> values from one to the next.</param>
    /// <param name="target">[keys rounded up to <see cref="Rows"/>, size]: what lies past the keys is written as it was.</param>
    public static void BackwardKeys(float* scores, int tileLength, float* rows, float* target, int count, int before, int window, int size)
    {
        // A tile of keys lies within one block, which every row that sees one of them has filled, with zeros for what it does not see.
        for (int j = 0; j < before + count; j += Rows)
        {
            int begin = Math.Max(0, j - before), end = (int)Math.Min(count, (long)j + Rows - 1 - before + window);
            if (begin < end)
                AttentionProducts.AddTransposed(
                    scores + (j / Width * Block) + j % Width, tileLength, rows, target + (long)j * size, begin, end, size);
        }
    }

    // Scales the keys that a row sees and takes the others of the tile's blocks out.
    private static void Mask(float* scores, AttentionTile tile, int row, float scale)
    {
        int first = tile.FirstKey(row), last = tile.Key(row);
        for (int b = tile.FirstBlock; b < tile.EndBlock; b++)
        {
            var scaled = Vector512.Load(scores + b * Block) * scale;
            if (b * Width < first || (b + 1) * Width > last)
            {
                var key = Vector512<int>.Indices + Vector512.Create(b * Width);
                var hidden = Vector512.GreaterThan(key, Vector512.Create(last)) | Vector512.LessThan(key, Vector512.Create(first));
                scaled = Vector512.ConditionalSelect(hidden.AsSingle(), Vector512.Create(float.NegativeInfinity), scaled);
            }

            scaled.Store(scores + b * Block);
        }
    }

    private static float Largest(Vector512<float> values)
    {
        float largest = values[0];
        for (int i = 1; i < Width; i++) largest = MathF.Max(largest, values[i]);
        return largest;
    }
}
