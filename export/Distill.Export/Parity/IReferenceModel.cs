namespace Distill.Export.Parity;

/// <summary>
/// The model an export is held against: computes every sequence whole, with no cache that could share a fault with the exported
/// one's. One thread at a time.
/// </summary>
public interface IReferenceModel
{
    int VocabularySize { get; }

    /// <param name="ids">One sequence.</param>
    /// <param name="logits">Filled with [time, vocab].</param>
    void Logits(ReadOnlySpan<int> ids, Span<float> logits);
}
