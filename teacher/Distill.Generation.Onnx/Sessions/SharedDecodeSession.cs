using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Slots over one shared cache. A part of a prompt is a batch-1 run bound to its slot's view; a step is one ragged run over slots
/// 0..n−1. The graph derives each row's position by counting its mask, and the total length from the mask's width.
/// </summary>
internal sealed class SharedDecodeSession : DecodeSession
{
    private readonly NativeBuffer<long> ids;        // [slots]
    private readonly NativeBuffer<long> mask;       // [slots, max length]
    private readonly NativeBuffer<long> promptIds;  // [part, or places of a joint run]
    private readonly NativeBuffer<long> promptMask; // [max length], ones
    private readonly NativeBuffer<long> jointMask;  // [prompts, longest of them]
    private readonly NativeBuffer<long> jointRows;  // [slots], where each prompt's last token stands in the run
    private readonly BoundRun joint;
    private readonly BoundRun?[] steps;   // by number of rows
    private readonly BoundRun?[] prompts; // by slot

    public SharedDecodeSession(OnnxTokenModel model, int slots, int maxLength)
        : base(model, slots, maxLength)
    {
        ids = new NativeBuffer<long>(slots);
        mask = new NativeBuffer<long>((long)slots * maxLength);
        promptIds = new NativeBuffer<long>(Layout.PromptIds(slots, maxLength));
        promptMask = new NativeBuffer<long>(maxLength);
        promptMask.Span(0, maxLength).Fill(1);
        jointMask = new NativeBuffer<long>(Layout.Joint(slots, maxLength));
        jointRows = new NativeBuffer<long>(slots);
        joint = new BoundRun(model);
        steps = new BoundRun?[slots + 1];
        prompts = new BoundRun?[slots];
    }

    /// <summary>A cache of a window's length takes no padding.</summary>
    public override int MostJointPlaces => Signature.SelectsRows && Layout.Windows is null ? (int)jointMask.Length : 0;

    internal override SessionMemory Memory => base.Memory with
    {
        InputBytes = base.Memory.InputBytes + ids.Bytes + mask.Bytes + promptIds.Bytes + promptMask.Bytes
            + jointMask.Bytes + jointRows.Bytes,
    };

    protected override void RunPart(int slot, ReadOnlySpan<int> tokens, int rows)
    {
        Span<long> input = promptIds.Span(0, tokens.Length);
        for (int i = 0; i < tokens.Length; i++) input[i] = tokens[i];
        BoundRun run = prompts[slot] ??= BindSlot(slot);

        // A first prompt has mask width = tokens; a later part is wider, which tells the kernel to read the past.
        run.Input(Signature.Names.InputIds, promptIds.View(TensorElementType.Int64, 0, 1, tokens.Length));
        run.Input(Signature.Names.AttentionMask, promptMask.View(TensorElementType.Int64, 0, 1, Lengths[slot]));
        BindRows(run, tokens.Length - rows, rows);
        run.Output(Signature.Names.Logits, PromptLogits.View(1, rows));
        Run(run);
    }

    /// <summary>
    /// A run as wide as its longest prompt tells the kernel that there is no past; what it writes of the padding lies beyond a slot's
    /// length, where nothing is read before it is written again.
    /// </summary>
    protected override void RunJointly(int first, IReadOnlyList<int[]> prompts, int longest)
    {
        int n = prompts.Count;
        for (int i = 0; i < n; i++)
        {
            int[] prompt = prompts[i];
            Span<long> row = promptIds.Span((long)i * longest, longest), held = jointMask.Span((long)i * longest, longest);
            for (int at = 0; at < longest; at++) (row[at], held[at]) = at < prompt.Length ? (prompt[at], 1) : (0, 0);
            jointRows.Span(i, 1)[0] = (i * longest) + prompt.Length - 1;
        }

        joint.Input(Signature.Names.InputIds, promptIds.View(TensorElementType.Int64, 0, n, longest));
        joint.Input(Signature.Names.AttentionMask, jointMask.View(TensorElementType.Int64, 0, n, longest));
        joint.Input(LogitRowSelection.Input, jointRows.View(TensorElementType.Int64, 0, n));
        joint.Output(Signature.Names.Logits, StepLogits.View(1, n));
        Cache.Bind(joint, first, n);
        Run(joint);
    }

    protected override void RunStep(ReadOnlySpan<int> tokens)
    {
        Span<long> next = ids.Span(0, tokens.Length);
        for (int slot = 0; slot < tokens.Length; slot++) next[slot] = tokens[slot];

        Run(steps[tokens.Length] ??= BindStep(tokens.Length));
    }

    protected override void OnLength(int slot, int length)
    {
        Span<long> row = mask.Span((long)slot * MaxLength, MaxLength);
        if (length > Lengths[slot]) row[Lengths[slot]..length].Fill(1);
        else row[length..Lengths[slot]].Clear();
    }

    /// <summary>The cache is the only place where a slot's content lies.</summary>
    protected override void OnReplaced(int slot)
    {
    }

    protected override void DisposeRuns()
    {
        foreach (var run in steps) run?.Dispose();
        foreach (var run in prompts) run?.Dispose();
        joint.Dispose();
        jointMask.Dispose();
        jointRows.Dispose();
        ids.Dispose();
        mask.Dispose();
        promptIds.Dispose();
        promptMask.Dispose();
    }

    private BoundRun BindSlot(int slot)
    {
        var run = new BoundRun(Model);
        Cache.Bind(run, slot, 1);
        return run;
    }

    private BoundRun BindStep(int n)
    {
        // The mask is as wide as the cache, at least 2: a width of 1 = one new token would mean "first prompt, no past".
        var run = new BoundRun(Model);
        run.Input(Signature.Names.InputIds, ids.View(TensorElementType.Int64, 0, n, 1));
        run.Input(Signature.Names.AttentionMask, mask.View(TensorElementType.Int64, 0, n, MaxLength));
        BindRows(run, 0, n);
        run.Output(Signature.Names.Logits, Signature.SelectsRows ? StepLogits.View(1, n) : StepLogits.View(n, 1));
        Cache.Bind(run, 0, n);
        return run;
    }
}
