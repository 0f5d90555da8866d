using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Slots over one shared cache. A prompt is a batch-1 run bound to its slot's view; a step is one ragged run over slots 0..n−1.
/// The graph derives each row's position by counting its mask, and the total length from the mask's width.
/// </summary>
internal sealed class OnnxDecodeSession : IDecodeSession
{
    // A prompt's logits are given for every position; longer prompts go in chunks, so that those of a large vocabulary fit.
    private const long MostPromptLogits = 16L << 20;

    private readonly OnnxTokenModel model;
    private readonly DecoderSignature signature;
    private readonly KeyValueCache cache;
    private readonly NativeBuffer<long> ids;        // [slots]
    private readonly NativeBuffer<long> mask;       // [slots, max length]
    private readonly NativeBuffer<float> logits;    // [slots, vocab]
    private readonly NativeBuffer<long> promptIds;  // [chunk]
    private readonly NativeBuffer<long> promptMask; // [max length], ones
    private readonly NativeBuffer<float> promptLogits; // [chunk, vocab]
    private readonly int chunk;
    private readonly int[] lengths;
    private readonly BoundRun?[] steps;   // by number of rows
    private readonly BoundRun?[] prompts; // by slot
    private readonly RunOptions runOptions = new();
    private bool disposed;

    public OnnxDecodeSession(OnnxTokenModel model, int slots, int maxLength)
    {
        this.model = model;
        signature = model.Signature;
        MaxLength = maxLength;
        chunk = (int)Math.Min(Math.Max(MostPromptLogits / signature.VocabularySize, 16), maxLength);
        cache = new KeyValueCache(signature, slots, maxLength);
        ids = new NativeBuffer<long>(slots);
        mask = new NativeBuffer<long>((long)slots * maxLength);
        logits = new NativeBuffer<float>((long)slots * signature.VocabularySize);
        promptIds = new NativeBuffer<long>(chunk);
        promptMask = new NativeBuffer<long>(maxLength);
        promptMask.Span(0, maxLength).Fill(1);
        promptLogits = new NativeBuffer<float>((long)chunk * signature.VocabularySize);
        lengths = new int[slots];
        steps = new BoundRun?[slots + 1];
        prompts = new BoundRun?[slots];
    }

    public int Slots => lengths.Length;

    public int MaxLength { get; }

    public int Length(int slot) => lengths[slot];

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        int vocabulary = signature.VocabularySize;
        if (tokens.IsEmpty) throw new ArgumentException("There must be at least one token.", nameof(tokens));
        if (lengths[slot] + tokens.Length > MaxLength) throw Full(slot, tokens.Length);
        bool everyPosition = logits.Length != vocabulary;
        if (everyPosition && logits.Length != (long)tokens.Length * vocabulary)
            throw new ArgumentException($"Logits hold {logits.Length} values: neither one position ({vocabulary}) nor all.", nameof(logits));
        if (everyPosition && signature.LastLogitsOnly) throw new NotSupportedException("This graph gives the logits of the last position only.");

        for (int start = 0; start < tokens.Length; start += chunk)
        {
            ReadOnlySpan<int> part = tokens.Slice(start, Math.Min(chunk, tokens.Length - start));
            int rows = RunPrompt(slot, part);
            if (everyPosition) promptLogits.Span(0, rows * vocabulary).CopyTo(logits[(start * vocabulary)..]);
            else if (start + part.Length == tokens.Length) promptLogits.Span((rows - 1L) * vocabulary, vocabulary).CopyTo(logits);
        }
    }

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        int n = tokens.Length;
        Span<long> next = ids.Span(0, n);
        for (int slot = 0; slot < n; slot++)
        {
            if (lengths[slot] == MaxLength) throw Full(slot, 1);
            next[slot] = tokens[slot];
            mask.Span(((long)slot * MaxLength) + lengths[slot], 1)[0] = 1;
            lengths[slot]++;
        }

        (steps[n] ??= BindStep(n)).Run(runOptions);
        this.logits.Span(0, n * signature.VocabularySize).CopyTo(logits);
    }

    public void Copy(int from, int to, int length)
    {
        if (from == to) throw new ArgumentException("A slot cannot be copied onto itself.", nameof(to));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, lengths[from]);
        cache.Copy(from, to, length);
        SetLength(to, length);
    }

    public void Truncate(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, lengths[slot]);
        SetLength(slot, length);
    }

    public void Clear(int slot) => SetLength(slot, 0);

    public void Cancel() => runOptions.Terminate = true;

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        foreach (var run in steps) run?.Dispose();
        foreach (var run in prompts) run?.Dispose();
        runOptions.Dispose();
        cache.Dispose();
        ids.Dispose();
        mask.Dispose();
        logits.Dispose();
        promptIds.Dispose();
        promptMask.Dispose();
        promptLogits.Dispose();
    }

    /// <summary>Appends up to a chunk of tokens to a slot; gives the number of positions whose logits now lie in <see cref="promptLogits"/>.</summary>
    private int RunPrompt(int slot, ReadOnlySpan<int> tokens)
    {
        Span<long> input = promptIds.Span(0, tokens.Length);
        for (int i = 0; i < tokens.Length; i++) input[i] = tokens[i];
        BoundRun run = prompts[slot] ??= BindSlot(slot);
        int rows = signature.LastLogitsOnly ? 1 : tokens.Length, total = lengths[slot] + tokens.Length;

        // A first prompt has mask width = tokens; a later part is wider, which tells the kernel to read the past.
        run.Input(signature.Names.InputIds, promptIds.View(TensorElementType.Int64, 0, 1, tokens.Length));
        run.Input(signature.Names.AttentionMask, promptMask.View(TensorElementType.Int64, 0, 1, total));
        run.Output(signature.Names.Logits, promptLogits.View(TensorElementType.Float, 0, 1, rows, signature.VocabularySize));
        run.Run(runOptions);
        SetLength(slot, total);
        return rows;
    }

    private BoundRun BindSlot(int slot)
    {
        var run = new BoundRun(model);
        cache.Bind(run, slot, 1);
        return run;
    }

    private BoundRun BindStep(int n)
    {
        // The mask is as wide as the cache, at least 2: a width of 1 = one new token would mean "first prompt, no past".
        var run = new BoundRun(model);
        run.Input(signature.Names.InputIds, ids.View(TensorElementType.Int64, 0, n, 1));
        run.Input(signature.Names.AttentionMask, mask.View(TensorElementType.Int64, 0, n, MaxLength));
        run.Output(signature.Names.Logits, logits.View(TensorElementType.Float, 0, n, 1, signature.VocabularySize));
        cache.Bind(run, 0, n);
        return run;
    }

    private void SetLength(int slot, int length)
    {
        Span<long> row = mask.Span((long)slot * MaxLength, MaxLength);
        if (length > lengths[slot]) row[lengths[slot]..length].Fill(1);
        else row[length..lengths[slot]].Clear();
        lengths[slot] = length;
    }

    private InvalidOperationException Full(int slot, int tokens) =>
        new($"Slot {slot} holds {lengths[slot]} of {MaxLength} tokens and cannot take {tokens} more.");
}
