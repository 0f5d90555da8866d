using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// What sessions over a shared and over a growing cache have in common: slots and their lengths, prompts in parts, checks, cancellation.
/// </summary>
internal abstract class DecodeSession : IPromptSession
{
    private readonly RunCancellation cancellation = new();
    private readonly int[] lengths;
    private readonly int chunk;
    private readonly int part;
    private readonly NativeBuffer<long> places; // 0, 1, 2, …
    private bool disposed;

    protected DecodeSession(OnnxTokenModel model, int slots, int maxLength)
    {
        Model = model;
        MaxLength = maxLength;
        lengths = new int[slots];
        chunk = Layout.Chunk(maxLength);
        part = Layout.Part(maxLength);
        Cache = new KeyValueCache(model.Signature, slots, maxLength);
        StepLogits = new LogitsBuffer(slots, Layout.VocabularySize, Layout.LogitsType);
        PromptLogits = new LogitsBuffer(chunk, Layout.VocabularySize, Layout.LogitsType);
        places = new NativeBuffer<long>(Math.Max(slots, part));
        for (int i = 0; i < places.Length; i++) places.Span(i, 1)[0] = i;
    }

    public int Slots => lengths.Length;

    public int MaxLength { get; }

    public int MostPositions => Signature.LastLogitsOnly ? 0 : chunk;

    public virtual int MostJointPlaces => 0;

    // ONNX Runtime attends in blocks of rows, twice the head size each (measured at 32, 64 and 128). Where the last token stands alone in
    // its block, a routine for single rows multiplies, which rounds otherwise; padding would give it company.
    public bool CanJoin(int length) => length == 1 || length % 16 != 1;

    /// <summary>Bytes of all buffers.</summary>
    internal virtual SessionMemory Memory => new(Cache.Bytes, StepLogits.Bytes + PromptLogits.Bytes, places.Bytes);

    protected OnnxTokenModel Model { get; }

    protected DecoderSignature Signature => Model.Signature;

    protected CacheLayout Layout => Model.Signature.Layout;

    /// <summary>What the slots hold.</summary>
    protected KeyValueCache Cache { get; }

    /// <summary>[slots, vocab].</summary>
    protected LogitsBuffer StepLogits { get; }

    /// <summary>[longest part of a prompt, vocab].</summary>
    protected LogitsBuffer PromptLogits { get; }

    protected ReadOnlySpan<int> Lengths => lengths;

    public int Length(int slot) => lengths[slot];

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        int vocabulary = Layout.VocabularySize;
        CheckPrompt(slot, tokens);
        bool everyPosition = logits.Length != vocabulary;
        if (everyPosition && logits.Length != (long)tokens.Length * vocabulary)
            throw new ArgumentException(
                $"Logits hold {logits.Length} values: neither one position ({vocabulary}) nor all.", nameof(logits));
        if (everyPosition && Signature.LastLogitsOnly)
            throw new NotSupportedException("This graph gives the logits of the last position only.");

        bool oneRow = Signature.LastLogitsOnly || (Signature.SelectsRows && !everyPosition);
        int longest = oneRow ? part : chunk;
        for (int start = 0; start < tokens.Length; start += longest)
        {
            ReadOnlySpan<int> next = tokens.Slice(start, Math.Min(longest, tokens.Length - start));
            int rows = oneRow ? 1 : next.Length;
            SetLength(slot, lengths[slot] + next.Length);
            RunPart(slot, next, rows);
            if (everyPosition) PromptLogits.CopyTo(0, logits.Slice(start * vocabulary, rows * vocabulary));
            else if (start + next.Length == tokens.Length) PromptLogits.CopyTo(rows - 1, logits);
        }
    }

    public ReadOnlySpan<float> Prefill(int slot, ReadOnlySpan<int> tokens)
    {
        CheckPrompt(slot, tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, MostPositions, nameof(tokens));
        SetLength(slot, lengths[slot] + tokens.Length);
        RunPart(slot, tokens, tokens.Length);
        return PromptLogits.Read(tokens.Length);
    }

    public void Prefill(int first, IReadOnlyList<int[]> prompts, Span<float> logits)
    {
        int longest = prompts.Max(prompt => prompt.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)longest * prompts.Count, MostJointPlaces, nameof(prompts));
        for (int i = 0; i < prompts.Count; i++)
        {
            CheckPrompt(first + i, prompts[i]);
            if (lengths[first + i] > 0) throw new InvalidOperationException($"Slot {first + i} must be empty.");
        }

        for (int i = 0; i < prompts.Count; i++) SetLength(first + i, prompts[i].Length);
        RunJointly(first, prompts, longest);
        StepLogits.CopyTo(0, logits[..(prompts.Count * Layout.VocabularySize)]);
    }

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        cancellation.ThrowIfCancelled();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, Slots, nameof(tokens));
        if (tokens.IsEmpty) return;
        for (int slot = 0; slot < tokens.Length; slot++)
        {
            if (lengths[slot] == MaxLength) throw Full(slot, 1);
        }

        for (int slot = 0; slot < tokens.Length; slot++) SetLength(slot, lengths[slot] + 1);
        RunStep(tokens);
        StepLogits.CopyTo(0, logits[..(tokens.Length * Layout.VocabularySize)]);
    }

    public void Copy(int from, int to, int length)
    {
        if (from == to) throw new ArgumentException("A slot cannot be copied onto itself.", nameof(to));
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, lengths[from]);
        Cache.Copy(from, to, length);
        Replace(to, length);
    }

    public void Truncate(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, lengths[slot]);
        if (length != lengths[slot]) Replace(slot, length);
    }

    public void Clear(int slot) => Truncate(slot, 0);

    public void Cancel() => cancellation.Cancel();

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        DisposeRuns();
        cancellation.Dispose();
        Cache.Dispose();
        StepLogits.Dispose();
        PromptLogits.Dispose();
        places.Dispose();
    }

    /// <summary>
    /// Appends part of a prompt to a slot and leaves the logits of its last <paramref name="rows"/> positions in
    /// <see cref="PromptLogits"/>; <see cref="Lengths"/> counts them already.
    /// </summary>
    protected abstract void RunPart(int slot, ReadOnlySpan<int> tokens, int rows);

    /// <summary>
    /// Appends one token to each of the first slots and leaves their logits in <see cref="StepLogits"/>; <see cref="Lengths"/> counts them
    /// already.
    /// </summary>
    protected abstract void RunStep(ReadOnlySpan<int> tokens);

    /// <summary>
    /// Starts slots with prompts, padded on the right to the longest, and leaves the logits of their last positions in
    /// <see cref="StepLogits"/>; <see cref="Lengths"/> counts them already.
    /// </summary>
    protected virtual void RunJointly(int first, IReadOnlyList<int[]> prompts, int longest) => throw new NotSupportedException();

    /// <summary>
    /// Called when a slot is about to hold <paramref name="length"/> tokens; <see cref="Lengths"/> still tells how many it held.
    /// </summary>
    protected abstract void OnLength(int slot, int length);

    /// <summary>Called when a slot's content was not appended to but became another.</summary>
    protected abstract void OnReplaced(int slot);

    /// <summary>Frees what is bound before the buffers it is bound to.</summary>
    protected abstract void DisposeRuns();

    /// <summary>Binds the logits of places [first, first + count) of a run's ids, where a graph wants to know; others give all.</summary>
    protected void BindRows(BoundRun run, int first, int count)
    {
        if (Signature.SelectsRows) run.Input(LogitRowSelection.Input, places.View(TensorElementType.Int64, first, count));
    }

    /// <exception cref="OperationCanceledException"><see cref="Cancel"/> was called.</exception>
    protected void Run(BoundRun run) => run.Run(cancellation.Options);

    private void CheckPrompt(int slot, ReadOnlySpan<int> tokens)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        cancellation.ThrowIfCancelled();
        if (tokens.IsEmpty) throw new ArgumentException("There must be at least one token.", nameof(tokens));
        if (lengths[slot] + tokens.Length > MaxLength) throw Full(slot, tokens.Length);
    }

    private void Replace(int slot, int length)
    {
        SetLength(slot, length);
        OnReplaced(slot);
    }

    private void SetLength(int slot, int length)
    {
        OnLength(slot, length);
        lengths[slot] = length;
    }

    private InvalidOperationException Full(int slot, int tokens) =>
        new($"Slot {slot} holds {lengths[slot]} of {MaxLength} tokens and cannot take {tokens} more.");
}
