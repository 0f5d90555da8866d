using Distill.Tokenization;

namespace Distill.Generation;

/// <summary>
/// A model that reads token ids and gives logits: the seam between the generation engine and its backends (ONNX Runtime,
/// TorchSharp, scripted). Opening sessions is safe from any thread; each session belongs to one thread at a time.
/// Whoever created the model disposes it, after its sessions.
/// </summary>
public interface ITokenModel : IDisposable
{
    int VocabularySize { get; }

    /// <summary>Longest sequence the model can read, prompt and completion together.</summary>
    int MaxLength { get; }

    /// <param name="slots">Rows that can be decoded together.</param>
    /// <param name="maxLength">Capacity of each row's cache, at most <see cref="MaxLength"/>.</param>
    IDecodeSession Open(int slots, int maxLength);
}

/// <summary>A model that runs on a device of its own.</summary>
internal interface IDeviceTokenModel : ITokenModel
{
    /// <summary>
    /// Whether sessions gain nothing from running beside each other, because they would wait for the device, and are best run by one
    /// thread, always the same.
    /// </summary>
    bool IsForOneThread { get; }
}

/// <summary>Rows of a running batch with their key-value cache. Not thread-safe. The opener disposes it.</summary>
public interface IDecodeSession : IDisposable
{
    int Slots { get; }

    int MaxLength { get; }

    /// <summary>Tokens held by a slot's cache.</summary>
    int Length(int slot);

    /// <summary>
    /// Appends <paramref name="tokens"/> to a slot (after <see cref="Clear"/>: starts it) and gives the logits of the last
    /// position, [vocab]; or, when <paramref name="logits"/> holds tokens × vocab values, of every position.
    /// </summary>
    void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>Appends one token to each of the slots 0..n−1 and gives their logits, [n, vocab]; n is the number of tokens.</summary>
    void Step(ReadOnlySpan<int> tokens, Span<float> logits);

    /// <summary>
    /// Makes slot <paramref name="to"/> hold the first <paramref name="length"/> tokens of slot <paramref name="from"/> (cloning a
    /// prompt, sharing a prefix, closing a hole).
    /// </summary>
    void Copy(int from, int to, int length);

    /// <summary>
    /// Forgets all but the first <paramref name="length"/> tokens of a slot, so that a prompt can be continued another way.
    /// </summary>
    void Truncate(int slot, int length);

    /// <summary>Forgets a slot's content: <see cref="Truncate"/> to 0.</summary>
    void Clear(int slot);

    /// <summary>
    /// Makes the prefill or step in progress, and every later one, end soon with <see cref="OperationCanceledException"/>; what the
    /// slots hold is then undefined. The one member that any thread may call at any time before disposal.
    /// </summary>
    void Cancel();
}

/// <summary>A tokenizer may know fewer ids than a model's padded embedding, never more.</summary>
internal static class VocabularyCheck
{
    /// <exception cref="InvalidDataException">The tokenizer has ids that the model does not know.</exception>
    public static void Require(Tokenizer tokenizer, ITokenModel model)
    {
        if (tokenizer.VocabularySize > model.VocabularySize)
            throw new InvalidDataException(
                $"The tokenizer has {tokenizer.VocabularySize} ids but the model knows {model.VocabularySize}: they do not belong "
                    + "together.");
    }
}
