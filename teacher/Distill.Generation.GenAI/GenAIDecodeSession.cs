namespace Distill.Generation.GenAI;

/// <summary>
/// Slots that each hold a generator. GenAI can append to and rewind a row but not copy one, so every slot knows its tokens.
/// </summary>
internal sealed class GenAIDecodeSession : IDecodeSession
{
    private readonly GenAITokenModel model;
    private readonly GenAICancellation cancellation = new();
    private readonly GenAISlot[] slots;
    private bool disposed;

    public GenAIDecodeSession(GenAITokenModel model, int slots, int maxLength)
    {
        this.model = model;
        MaxLength = maxLength;
        this.slots = [.. Enumerable.Range(0, slots).Select(_ => new GenAISlot(model, maxLength, cancellation))];
    }

    public int Slots => slots.Length;

    public int MaxLength { get; }

    public int Length(int slot) => slots[slot].Length;

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        cancellation.ThrowIfCancelled();
        if (tokens.IsEmpty) throw new ArgumentException("There must be at least one token.", nameof(tokens));
        if (logits.Length != model.VocabularySize && logits.Length != (long)tokens.Length * model.VocabularySize)
            throw new ArgumentException(
                $"Logits hold {logits.Length} values: neither one position ({model.VocabularySize}) nor all.", nameof(logits));
        RequireRoom(slot, tokens.Length);
        slots[slot].Append(tokens, logits);
    }

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        cancellation.ThrowIfCancelled();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, Slots, nameof(tokens));
        for (int slot = 0; slot < tokens.Length; slot++) RequireRoom(slot, 1);
        for (int slot = 0; slot < tokens.Length; slot++)
            slots[slot].Append(tokens.Slice(slot, 1), logits.Slice(slot * model.VocabularySize, model.VocabularySize));
    }

    public void Copy(int from, int to, int length)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (from == to) throw new ArgumentException("A slot cannot be copied onto itself.", nameof(to));
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length(from));
        slots[to].TakeFrom(slots[from], length);
    }

    public void Truncate(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length(slot));
        slots[slot].Truncate(length);
    }

    public void Clear(int slot) => Truncate(slot, 0);

    public void Cancel() => cancellation.Cancel();

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        foreach (GenAISlot slot in slots) slot.Dispose();
    }

    private void RequireRoom(int slot, int tokens)
    {
        if (Length(slot) + tokens > MaxLength)
            throw new InvalidOperationException(
                $"Slot {slot} holds {Length(slot)} of {MaxLength} tokens and cannot take {tokens} more.");
    }
}
