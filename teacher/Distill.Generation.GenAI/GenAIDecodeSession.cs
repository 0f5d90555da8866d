using Distill.Data;
using Microsoft.ML.OnnxRuntimeGenAI;

namespace Distill.Generation.GenAI;

/// <summary>
/// Slots that each hold a generator. GenAI can append to and rewind a row but not copy one, so every slot remembers its tokens.
/// </summary>
internal sealed class GenAIDecodeSession : IDecodeSession
{
    private readonly GenAITokenModel model;
    private readonly GenAISlot[] slots;
    private volatile bool cancelled;
    private bool disposed;

    public GenAIDecodeSession(GenAITokenModel model, int slots, int maxLength)
    {
        this.model = model;
        MaxLength = maxLength;
        this.slots = [.. Enumerable.Range(0, slots).Select(_ => new GenAISlot(model, maxLength))];
    }

    public int Slots => slots.Length;

    public int MaxLength { get; }

    public int Length(int slot) => slots[slot].Length;

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (tokens.IsEmpty) throw new ArgumentException("There must be at least one token.", nameof(tokens));
        if (logits.Length != model.VocabularySize && logits.Length != (long)tokens.Length * model.VocabularySize)
            throw new ArgumentException(
                $"Logits hold {logits.Length} values: neither one position ({model.VocabularySize}) nor all.", nameof(logits));
        Append(slot, tokens, logits);
    }

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, Slots, nameof(tokens));
        for (int slot = 0; slot < tokens.Length; slot++)
            Append(slot, tokens.Slice(slot, 1), logits.Slice(slot * model.VocabularySize, model.VocabularySize));
    }

    public void Copy(int from, int to, int length)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (from == to) throw new ArgumentException("A slot cannot be copied onto itself.", nameof(to));
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length(from));
        ReadOnlySpan<int> wanted = slots[from].Tokens[..length];
        int common = slots[to].Tokens.CommonPrefixLength(wanted);
        slots[to].Truncate(common);
        if (common < length) Append(to, wanted[common..], []);
    }

    public void Truncate(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length(slot));
        slots[slot].Truncate(length);
    }

    public void Clear(int slot) => Truncate(slot, 0);

    /// <summary>GenAI's managed interface cannot end a run from outside: this ends what follows the run in progress.</summary>
    public void Cancel() => cancelled = true;

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        foreach (GenAISlot slot in slots) slot.Dispose();
    }

    /// <param name="logits">[vocab] for the last position, [tokens, vocab] for all, or empty.</param>
    private void Append(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        if (Length(slot) + tokens.Length > MaxLength)
            throw new InvalidOperationException(
                $"Slot {slot} holds {Length(slot)} of {MaxLength} tokens and cannot take {tokens.Length} more.");
        bool everyPosition = logits.Length > model.VocabularySize;
        for (int start = 0; start < tokens.Length; start += GenAISlot.LongestPart)
        {
            if (cancelled) throw new OperationCanceledException("Generation was cancelled.");
            ReadOnlySpan<int> part = tokens.Slice(start, Math.Min(GenAISlot.LongestPart, tokens.Length - start));
            bool last = start + part.Length == tokens.Length;
            slots[slot].Append(
                part, everyPosition ? logits.Slice(start * model.VocabularySize, part.Length * model.VocabularySize) : last ? logits : []);
        }
    }
}

/// <summary>
/// One row: a generator, made when it is first needed, and the tokens that it holds. Not thread-safe; its session disposes it.
/// </summary>
internal sealed class GenAISlot(GenAITokenModel model, int maxLength) : IDisposable
{
    /// <summary>Tokens of one run: bounds the logits of a prompt, and how long a cancellation waits.</summary>
    public const int LongestPart = 256;

    private readonly int[] tokens = new int[maxLength];
    private NativeGenerator? generator;

    public int Length { get; private set; }

    public ReadOnlySpan<int> Tokens => tokens.AsSpan(0, Length);

    /// <summary>Runs the model over at most <see cref="LongestPart"/> more tokens.</summary>
    /// <param name="logits">[vocab] for the last position, [tokens, vocab] for all, or empty.</param>
    /// <exception cref="InvalidDataException">The model was loaded but cannot be run.</exception>
    /// <exception cref="NotSupportedException">Logits of every position are asked for and the graph gives the last only.</exception>
    public void Append(ReadOnlySpan<int> part, Span<float> logits)
    {
        try
        {
            generator ??= model.CreateGenerator(maxLength);
            generator.AppendTokens(part);
            part.CopyTo(tokens.AsSpan(Length));
            Length += part.Length;
            if (logits.IsEmpty) return;
            using Tensor output = generator.GetOutput(model.LogitsName);
            Read(output, logits);
        }
        catch (OnnxRuntimeGenAIException e)
        {
            throw new InvalidDataException(Printable.Of($"ONNX Runtime GenAI cannot run the model: {e.Message}"), e);
        }
    }

    public void Truncate(int length)
    {
        if (length == Length) return;
        if (length == 0) Release(); // a new generator also forgets what a sliding window let go of
        else generator!.RewindTo((ulong)length);
        Length = length;
    }

    public void Dispose() => Release();

    private void Read(Tensor output, Span<float> logits)
    {
        long[] shape = output.Shape(); // [1, positions, vocab], positions of the last run only
        if (shape.Length != 3 || shape[0] != 1 || shape[2] != model.VocabularySize)
            throw new InvalidDataException(
                $"The logits have the shape [{string.Join(", ", shape)}]; expected [1, positions, {model.VocabularySize}].");
        int values = checked((int)(shape[1] * shape[2]));
        if (logits.Length > values) throw new NotSupportedException("This graph gives the logits of the last position only.");
        switch (output.Type())
        {
            case ElementType.float32: output.GetData<float>().Slice(values - logits.Length, logits.Length).CopyTo(logits); break;
            case ElementType.float16:
                TensorPrimitives.ConvertToSingle(output.GetData<Half>().Slice(values - logits.Length, logits.Length), logits);
                break;
            default: throw new InvalidDataException($"The logits are {output.Type()}; expected float32 or float16.");
        }
    }

    private void Release()
    {
        generator?.Dispose();
        generator = null;
    }
}
