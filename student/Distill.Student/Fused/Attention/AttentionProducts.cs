using System.Runtime.Intrinsics;

namespace Distill.Student.Fused;

/// <summary>
/// The products within attention for <see cref="Rows"/> query rows, or keys, at a time: what is loaded serves all of them. fp32, head size
/// a multiple of 16. Scores of a tile of rows lie block by block, [blocks, <see cref="Rows"/>, <see cref="Width"/>], and transposed rows
/// likewise, [blocks, size, <see cref="Width"/>]: both are then read in the order in which they lie.
/// </summary>
internal static unsafe class AttentionProducts
{
    /// <summary>Rows of a tile; divides <see cref="Width"/>, so that a tile of keys lies within one block.</summary>
    public const int Rows = 4;

    /// <summary>Keys of a block.</summary>
    public const int Width = 16;

    /// <summary>
    /// Values that the scores of a tile take for so many keys; not a multiple of a page, or the caches would keep few tiles.
    /// </summary>
    public static int TileLength(int keys) => ((keys + Width - 1) / Width + 1) * Rows * Width;

    /// <summary>Writes [length, size] rows transposed in blocks, with zeros past the last.</summary>
    public static void Transpose(float* rows, float* transposed, int length, int size)
    {
        for (int j = 0; j < (length + Width - 1) / Width * Width; j++)
        {
            float* target = transposed + (long)(j / Width) * Width * size + j % Width, row = rows + (long)j * size;
            if (j < length)
            {
                for (int d = 0; d < size; d++) target[d * Width] = row[d];
            }
            else
            {
                for (int d = 0; d < size; d++) target[d * Width] = 0;
            }
        }
    }

    /// <summary>scores[r, key] = rows[r] · key for the keys of blocks first..end − 1.</summary>
    /// <param name="rows">[<see cref="Rows"/>, size]</param>
    /// <param name="transposed">As written by <see cref="Transpose"/>.</param>
    public static void Dot(float* rows, float* transposed, float* scores, int first, int end, int size)
    {
        float* q1 = rows + size, q2 = q1 + size, q3 = q2 + size;
        for (int b = first; b < end; b += 2)
        {
            bool pair = b + 1 < end;
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
            float* low = transposed + (long)b * Width * size, high = pair ? low + Width * size : low;
            for (int d = 0; d < size; d++)
            {
                Vector512<float> one = Vector512.Load(low + d * Width), two = Vector512.Load(high + d * Width);
                Vector512<float> x0 = Vector512.Create(rows[d]), x1 = Vector512.Create(q1[d]), x2 = Vector512.Create(q2[d]),
                    x3 = Vector512.Create(q3[d]);
                (a0, b0) = (Vector512.FusedMultiplyAdd(x0, one, a0), Vector512.FusedMultiplyAdd(x0, two, b0));
                (a1, b1) = (Vector512.FusedMultiplyAdd(x1, one, a1), Vector512.FusedMultiplyAdd(x1, two, b1));
                (a2, b2) = (Vector512.FusedMultiplyAdd(x2, one, a2), Vector512.FusedMultiplyAdd(x2, two, b2));
                (a3, b3) = (Vector512.FusedMultiplyAdd(x3, one, a3), Vector512.FusedMultiplyAdd(x3, two, b3));
            }

            Store(scores + b * Rows * Width, Width, a0, a1, a2, a3);
            if (pair) Store(scores + (b + 1) * Rows * Width, Width, b0, b1, b2, b3);
        }
    }

    /// <summary>output[r] = Σ scores[r, j] · rows[j] over j = first..end − 1.</summary>
    /// <param name="scores">Zero where a row has no part.</param>
    /// <param name="output">[<see cref="Rows"/>, size]</param>
    public static void Mix(float* scores, float* rows, float* output, int first, int end, int size)
    {
        int h = 0;
        for (; h + 2 * Width <= size; h += 2 * Width)
        {
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
            for (int j = first; j < end; j++)
            {
                float* weight = scores + (j / Width * Rows * Width) + j % Width, row = rows + (long)j * size + h;
                Vector512<float> one = Vector512.Load(row), two = Vector512.Load(row + Width);
                Vector512<float> w0 = Vector512.Create(weight[0]), w1 = Vector512.Create(weight[Width]),
                    w2 = Vector512.Create(weight[2 * Width]), w3 = Vector512.Create(weight[3 * Width]);
                (s0, t0) = (Vector512.FusedMultiplyAdd(w0, one, s0), Vector512.FusedMultiplyAdd(w0, two, t0));
                (s1, t1) = (Vector512.FusedMultiplyAdd(w1, one, s1), Vector512.FusedMultiplyAdd(w1, two, t1));
                (s2, t2) = (Vector512.FusedMultiplyAdd(w2, one, s2), Vector512.FusedMultiplyAdd(w2, two, t2));
                (s3, t3) = (Vector512.FusedMultiplyAdd(w3, one, s3), Vector512.FusedMultiplyAdd(w3, two, t3));
            }

            Store(output + h, size, s0, s1, s2, s3);
            Store(output + h + Width, size, t0, t1, t2, t3);
        }

        if (h < size) MixLast(scores, rows + h, output + h, first, end, size);
    }

    /// <summary>Adds Σ scores[i, r] · rows[i] over query rows i = first..end − 1 to target[r], for <see cref="Rows"/> keys r.</summary>
    /// <param name="scores">Of tile after tile of query rows, from the tile's first key on.</param>
    /// <param name="tileLength">Values from one tile of query rows to the next.</param>
    /// <param name="target">[<see cref="Rows"/>, size]</param>
    public static void AddTransposed(float* scores, int tileLength, float* rows, float* target, int first, int end, int size)
    {
        int h = 0;
        for (; h + 2 * Width <= size; h += 2 * Width)
        {
            float* low = target + h, high = low + Width;
            Vector512<float> s0 = Vector512.Load(low), s1 = Vector512.Load(low + size), s2 = Vector512.Load(low + 2 * size),
                s3 = Vector512.Load(low + 3 * size);
            Vector512<float> t0 = Vector512.Load(high), t1 = Vector512.Load(high + size), t2 = Vector512.Load(high + 2 * size),
                t3 = Vector512.Load(high + 3 * size);
            for (int i = first; i < end; i++)
            {
                float* weight = scores + (long)(i / Rows) * tileLength + i % Rows * Width, row = rows + (long)i * size + h;
                Vector512<float> one = Vector512.Load(row), two = Vector512.Load(row + Width);
                Vector512<float> w0 = Vector512.Create(weight[0]), w1 = Vector512.Create(weight[1]), w2 = Vector512.Create(weight[2]),
                    w3 = Vector512.Create(weight[3]);
                (s0, t0) = (Vector512.FusedMultiplyAdd(w0, one, s0), Vector512.FusedMultiplyAdd(w0, two, t0));
                (s1, t1) = (Vector512.FusedMultiplyAdd(w1, one, s1), Vector512.FusedMultiplyAdd(w1, two, t1));
                (s2, t2) = (Vector512.FusedMultiplyAdd(w2, one, s2), Vector512.FusedMultiplyAdd(w2, two, t2));
                (s3, t3) = (Vector512.FusedMultiplyAdd(w3, one, s3), Vector512.FusedMultiplyAdd(w3, two, t3));
            }

            Store(low, size, s0, s1, s2, s3);
            Store(high, size, t0, t1, t2, t3);
        }

        if (h < size) AddLastTransposed(scores, tileLength, rows + h, target + h, first, end, size);
    }

    private static void MixLast(float* scores, float* rows, float* output, int first, int end, int size)
    {
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int j = first; j < end; j++)
        {
            float* weight = scores + (j / Width * Rows * Width) + j % Width;
            var row = Vector512.Load(rows + (long)j * size);
            (s0, s1) = (Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), row, s0),
                Vector512.FusedMultiplyAdd(Vector512.Create(weight[Width]), row, s1));
            (s2, s3) = (Vector512.FusedMultiplyAdd(Vector512.Create(weight[2 * Width]), row, s2),
                Vector512.FusedMultiplyAdd(Vector512.Create(weight[3 * Width]), row, s3));
        }

        Store(output, size, s0, s1, s2, s3);
    }

    private static void AddLastTransposed(float* scores, int tileLength, float* rows, float* target, int first, int end, int size)
    {
        Vector512<float> s0 = Vector512.Load(target), s1 = Vector512.Load(target + size), s2 = Vector512.Load(target + 2 * size),
            s3 = Vector512.Load(target + 3 * size);
        for (int i = first; i < end; i++)
        {
            float* weight = scores + (long)(i / Rows) * tileLength + i % Rows * Width;
            var row = Vector512.Load(rows + (long)i * size);
            (s0, s1) = (Vector512.FusedMultiplyAdd(Vector512.Create(weight[0]), row, s0),
                Vector512.FusedMultiplyAdd(Vector512.Create(weight[1]), row, s1));
            (s2, s3) = (Vector512.FusedMultiplyAdd(Vector512.Create(weight[2]), row, s2),
                Vector512.FusedMultiplyAdd(Vector512.Create(weight[3]), row, s3));
        }

        Store(target, size, s0, s1, s2, s3);
    }

    private static void Store(float* target, int stride, Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        a.Store(target);
        b.Store(target + stride);
        c.Store(target + 2 * stride);
        d.Store(target + 3 * stride);
    }
}
