using System.Numerics.Tensors;
using Distill.Architecture;
using Distill.Student.Training;

namespace Distill.Student.Fused;

/// <summary>
/// QK-norm, rotary embedding and causal (or windowed) attention of one layer over a batch of sequences, from the packed projection
/// [tokens, (heads + 2 · key heads) · head size] to [tokens, heads · head size], and back. Keeps what the backward pass needs;
/// scratch is shared by the layers of one replica. One thread.
/// </summary>
internal sealed unsafe class FusedAttention : IDisposable
{
    private const int Tile = AttentionProducts.Rows;

    private readonly DecoderArchitecture architecture;
    private readonly HeadRotation? rotation;
    private readonly AttentionScratch scratch;
    private readonly int capacity;
    private readonly int size;
    private readonly int groups;
    private readonly float scale;
    private readonly int window;               // keys that a query sees, itself included
    private readonly NativeBuffer heads;       // [heads + 2·key heads, capacity, size]: queries, keys, values after norm and rotary
    private readonly NativeBuffer inverseRms;  // [capacity, heads + key heads]
    private readonly NativeBuffer logSumExp;   // [heads, capacity]

    /// <param name="rotation">Unused in layers without rotary embedding.</param>
    public FusedAttention(DecoderArchitecture architecture, int layer, HeadRotation rotation, AttentionScratch scratch, int capacity)
    {
        this.architecture = architecture;
        this.rotation = architecture.IsRotary(layer) ? rotation : null;
        window = architecture.WindowOf(layer) ?? int.MaxValue;
        this.scratch = scratch;
        this.capacity = capacity;
        size = architecture.HeadSize;
        groups = architecture.Heads / architecture.KeyValueHeads;
        scale = 1 / MathF.Sqrt(size);
        heads = new NativeBuffer((long)Packed * capacity * size);
        inverseRms = new NativeBuffer((long)capacity * Normed);
        logSumExp = new NativeBuffer((long)architecture.Heads * capacity);
    }

    private int Normed => architecture.Heads + architecture.KeyValueHeads;

    private int Packed => architecture.Heads + 2 * architecture.KeyValueHeads;

    /// <param name="projected">[tokens, packed heads · size]</param>
    /// <param name="queryNorm">[size] or null without QK-norm; likewise <paramref name="keyNorm"/>.</param>
    /// <param name="output">[tokens, heads · size]</param>
    public void Forward(TokenBatch batch, NativeRows projected, float* queryNorm, float* keyNorm, NativeRows output)
    {
        for (int token = 0; token < batch.Tokens.Length; token++) Unpack(token, batch.Positions[token], projected, queryNorm, keyNorm);
        foreach (var segment in batch.Segments)
        {
            for (int group = 0; group < architecture.KeyValueHeads; group++) ForwardGroup(group, segment, output);
        }
    }

    /// <param name="projected">As given to <see cref="Forward"/>.</param>
    /// <param name="output">As filled by <see cref="Forward"/>.</param>
    /// <param name="outputGradient">[tokens, heads · size]</param>
    /// <param name="projectedGradient">[tokens, packed heads · size], overwritten.</param>
    public void Backward(
        TokenBatch batch, NativeRows projected, NativeRows output, NativeRows outputGradient, NativeRows projectedGradient,
        float* queryNorm, float* keyNorm, float* queryNormGradient, float* keyNormGradient)
    {
        for (int head = architecture.Heads; head < Packed; head++) // several segments may add to a prompt's keys and values
            new Span<float>(scratch.HeadGradient(head, 0), batch.Tokens.Length * size).Clear();
        foreach (var segment in batch.Segments)
        {
            for (int group = 0; group < architecture.KeyValueHeads; group++) BackwardGroup(group, segment, output, outputGradient);
        }

        for (int token = 0; token < batch.Tokens.Length; token++)
            Pack(token, batch.Positions[token], projected, projectedGradient, queryNorm, keyNorm, queryNormGradient, keyNormGradient);
    }

    public void Dispose()
    {
        heads.Dispose();
        inverseRms.Dispose();
        logSumExp.Dispose();
    }

    private void ForwardGroup(int group, TokenSegment segment, NativeRows output)
    {
        float* keys = PromptRows.Gather(Head(KeyHead(group), 0), segment, scratch.Keys, size);
        float* values = PromptRows.Gather(Head(ValueHead(group), 0), segment, scratch.Values, size), sums = stackalloc float[Tile];
        AttentionProducts.Transpose(keys, scratch.KeysTransposed, segment.Keys, size);
        for (int head = group * groups; head < (group + 1) * groups; head++)
        {
            for (int row = 0; row < segment.Length; row += Tile)
            {
                var tile = new AttentionTile(row, segment.PromptLength, segment.Keys, window);
                AttentionKernel.Forward(
                    Queries(head, segment, row), scratch.KeysTransposed, values, scratch.TileOutput, scratch.Probabilities, sums, tile,
                    size, scale);
                for (int r = 0; r < Math.Min(Tile, segment.Length - row); r++)
                {
                    int token = segment.Start + row + r;
                    logSumExp.Pointer[(long)head * capacity + token] = sums[r];
                    output.Store(token, head * size, new ReadOnlySpan<float>(scratch.TileOutput + r * size, size));
                }
            }
        }
    }

    private void BackwardGroup(int group, TokenSegment segment, NativeRows output, NativeRows outputGradient)
    {
        int tileLength = AttentionProducts.TileLength(segment.Keys);
        float* keys = PromptRows.Gather(Head(KeyHead(group), 0), segment, scratch.Keys, size);
        AttentionProducts.Transpose(keys, scratch.KeysTransposed, segment.Keys, size);
        AttentionProducts.Transpose(
            PromptRows.Gather(Head(ValueHead(group), 0), segment, scratch.Values, size), scratch.ValuesTransposed, segment.Keys, size);
        float* keyGradients = scratch.HeadGradient(KeyHead(group), 0), valueGradients = scratch.HeadGradient(ValueHead(group), 0);
        float* keyGradient = PromptRows.Target(keyGradients, segment, scratch.KeyGradient, size);
        float* valueGradient = PromptRows.Target(valueGradients, segment, scratch.ValueGradient, size);
        for (int head = group * groups; head < (group + 1) * groups; head++)
        {
            for (int row = 0; row < segment.Length; row += Tile)
                BackwardQueries(head, segment, row, keys, tileLength, output, outputGradient);
            AttentionKernel.BackwardKeys(
                scratch.ScoreGradients, tileLength, Head(head, segment.Start), keyGradient, segment.Length, segment.PromptLength,
                window, size);
            AttentionKernel.BackwardKeys(
                scratch.Probabilities, tileLength, scratch.OutputGradient, valueGradient, segment.Length, segment.PromptLength,
                window, size);
        }

        PromptRows.Add(keyGradients, segment, scratch.KeyGradient, size);
        PromptRows.Add(valueGradients, segment, scratch.ValueGradient, size);
    }

    private void BackwardQueries(
        int head, TokenSegment segment, int row, float* keys, int tileLength, NativeRows output, NativeRows outputGradient)
    {
        int count = Math.Min(Tile, segment.Length - row), token = segment.Start + row;
        float* gradients = scratch.OutputGradient + (long)row * size, sums = stackalloc float[Tile], delta = stackalloc float[Tile];
        for (int r = 0; r < count; r++)
        {
            output.Load(token + r, head * size, new Span<float>(scratch.Row, size));
            outputGradient.Load(token + r, head * size, new Span<float>(gradients + r * size, size));
            delta[r] = TensorPrimitives.Dot(
                new ReadOnlySpan<float>(scratch.Row, size), new ReadOnlySpan<float>(gradients + r * size, size));
            sums[r] = logSumExp.Pointer[(long)head * capacity + token + r];
        }

        new Span<float>(gradients + count * size, (Tile - count) * size).Clear();
        var tile = new AttentionTile(row, segment.PromptLength, segment.Keys, window);
        AttentionKernel.BackwardQueries(
            Queries(head, segment, row), gradients, keys, scratch.KeysTransposed, scratch.ValuesTransposed,
            scratch.Probabilities + (long)(row / Tile) * tileLength,
            scratch.ScoreGradients + (long)(row / Tile) * tileLength, scratch.TileOutput, sums, delta, tile, size, scale);
        new ReadOnlySpan<float>(scratch.TileOutput, count * size).CopyTo(new Span<float>(scratch.HeadGradient(head, token), count * size));
    }

    // Where a tile's queries lie, or a copy with zeros for the rows that the segment lacks.
    private float* Queries(int head, TokenSegment segment, int row)
    {
        float* queries = Head(head, segment.Start + row);
        int count = segment.Length - row;
        if (count >= Tile) return queries;
        new ReadOnlySpan<float>(queries, count * size).CopyTo(new Span<float>(scratch.TileInput, count * size));
        new Span<float>(scratch.TileInput + count * size, (Tile - count) * size).Clear();
        return scratch.TileInput;
    }

    private void Unpack(int token, int position, NativeRows projected, float* queryNorm, float* keyNorm)
    {
        for (int head = 0; head < Packed; head++)
        {
            float* target = Head(head, token);
            projected.Load(token, head * size, new Span<float>(target, size));
            if (head >= Normed) continue;
            float* weight = head < architecture.Heads ? queryNorm : keyNorm;
            if (weight != null)
            {
                float inverse = HeadNorm.InverseRms(target, size, (float)architecture.RmsNormEpsilon);
                inverseRms.Pointer[(long)token * Normed + head] = inverse;
                HeadNorm.Apply(target, weight, size, inverse);
            }

            rotation?.Rotate(target, position, inverse: false);
        }
    }

    private void Pack(
        int token, int position, NativeRows projected, NativeRows projectedGradient,
        float* queryNorm, float* keyNorm, float* queryNormGradient, float* keyNormGradient)
    {
        for (int head = 0; head < Packed; head++)
        {
            float* gradient = scratch.HeadGradient(head, token);
            if (head < Normed)
            {
                rotation?.Rotate(gradient, position, inverse: true);
                bool query = head < architecture.Heads;
                if (queryNorm != null)
                {
                    projected.Load(token, head * size, new Span<float>(scratch.Row, size));
                    HeadNorm.Backward(
                        scratch.Row, gradient, query ? queryNorm : keyNorm, query ? queryNormGradient : keyNormGradient,
                        size, inverseRms.Pointer[(long)token * Normed + head]);
                }
            }

            projectedGradient.Store(token, head * size, new ReadOnlySpan<float>(gradient, size));
        }
    }

    private float* Head(int head, int token) => heads.Pointer + ((long)head * capacity + token) * size;

    private int KeyHead(int group) => architecture.Heads + group;

    private int ValueHead(int group) => architecture.Heads + architecture.KeyValueHeads + group;
}
