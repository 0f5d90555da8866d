using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Slots for a graph of standard operators whose cache grows by copies and whose positions are given or counted over the mask. A part of
/// a prompt is a batch-1 run; a step is one run over slots 0..n−1, padded on the left. What every slot holds lies in the cache; the rows
/// of the last run stay beside it, so that a step over the same slots copies nothing but what is new.
/// </summary>
internal sealed class GrowingDecodeSession : DecodeSession
{
    private readonly GrowingRows prompt;
    private readonly GrowingRows rows;
    private readonly NativeBuffer<long> ids;             // [slots]
    private readonly NativeBuffer<long> positions;       // [slots]
    private readonly NativeBuffer<long> mask;            // [slots, width of the run]
    private readonly NativeBuffer<long> promptIds;       // [part]
    private readonly NativeBuffer<long> promptPositions; // [part]
    private readonly NativeBuffer<long> promptMask;      // [max length], ones
    private readonly BoundRun promptRun;
    private readonly BoundRun stepRun;
    private readonly int[] pastLengths; // [slots], of the run at hand

    public GrowingDecodeSession(OnnxTokenModel model, int slots, int maxLength)
        : base(model, slots, maxLength)
    {
        prompt = new GrowingRows(Signature, Cache, 1, maxLength);
        rows = new GrowingRows(Signature, Cache, slots, maxLength);
        ids = new NativeBuffer<long>(slots);
        positions = new NativeBuffer<long>(slots);
        mask = new NativeBuffer<long>((long)slots * maxLength);
        promptIds = new NativeBuffer<long>(Layout.Part(maxLength));
        promptPositions = new NativeBuffer<long>(Layout.Part(maxLength));
        promptMask = new NativeBuffer<long>(maxLength);
        promptMask.Span(0, maxLength).Fill(1);
        promptRun = new BoundRun(model);
        stepRun = new BoundRun(model);
        pastLengths = new int[slots];
    }

    internal override SessionMemory Memory => base.Memory with
    {
        CacheBytes = Cache.Bytes + prompt.Bytes + rows.Bytes,
        InputBytes = base.Memory.InputBytes + ids.Bytes + positions.Bytes + mask.Bytes + promptIds.Bytes
            + promptPositions.Bytes + promptMask.Bytes,
    };

    protected override void RunPart(int slot, ReadOnlySpan<int> tokens, int rows)
    {
        int n = tokens.Length, past = Lengths[slot] - n;
        Span<long> id = promptIds.Span(0, n), position = promptPositions.Span(0, n);
        for (int i = 0; i < n; i++) (id[i], position[i]) = (tokens[i], past + i);
        this.rows.Forget(slot);
        prompt.Load(slot, [past]);
        prompt.Bind(promptRun, n);
        promptRun.Input(Signature.Names.InputIds, promptIds.View(TensorElementType.Int64, 0, 1, n));
        if (Signature.TakesPositions)
            promptRun.Input(Signature.Names.PositionIds, promptPositions.View(TensorElementType.Int64, 0, 1, n));
        promptRun.Input(Signature.Names.AttentionMask, promptMask.View(TensorElementType.Int64, 0, 1, past + n));
        BindRows(promptRun, n - rows, rows);
        promptRun.Output(Signature.Names.Logits, PromptLogits.View(1, rows));
        Run(promptRun);
        prompt.Store([past], n);
    }

    protected override void RunStep(ReadOnlySpan<int> tokens)
    {
        int n = tokens.Length;
        Span<int> past = pastLengths.AsSpan(0, n);
        for (int slot = 0; slot < n; slot++)
        {
            past[slot] = Lengths[slot] - 1;
            ids.Span(slot, 1)[0] = tokens[slot];
            positions.Span(slot, 1)[0] = past[slot];
            prompt.Forget(slot);
        }

        int width = rows.Load(0, past) + 1;
        for (int slot = 0; slot < n; slot++)
        {
            Span<long> row = mask.Span((long)slot * width, width);
            row[..^Lengths[slot]].Clear();
            row[^Lengths[slot]..].Fill(1);
        }

        rows.Bind(stepRun, 1);
        stepRun.Input(Signature.Names.InputIds, ids.View(TensorElementType.Int64, 0, n, 1));
        if (Signature.TakesPositions)
            stepRun.Input(Signature.Names.PositionIds, positions.View(TensorElementType.Int64, 0, n, 1));
        stepRun.Input(Signature.Names.AttentionMask, mask.View(TensorElementType.Int64, 0, n, width));
        BindRows(stepRun, 0, n);
        stepRun.Output(Signature.Names.Logits, Signature.SelectsRows ? StepLogits.View(1, n) : StepLogits.View(n, 1));
        Run(stepRun);
        rows.Store(past, 1);
    }

    /// <summary>Masks are made for each run.</summary>
    protected override void OnLength(int slot, int length)
    {
    }

    protected override void OnReplaced(int slot)
    {
        prompt.Forget(slot);
        rows.Forget(slot);
    }

    protected override void DisposeRuns()
    {
        promptRun.Dispose();
        stepRun.Dispose();
        prompt.Dispose();
        rows.Dispose();
        ids.Dispose();
        positions.Dispose();
        mask.Dispose();
        promptIds.Dispose();
        promptPositions.Dispose();
        promptMask.Dispose();
    }
}
