using Distill.Generation;

namespace Distill.Export.Parity;

/// <summary>Any token model as a reference: each sequence is one prefill of an empty cache. The model stays the caller's.</summary>
public sealed class TokenModelReference(ITokenModel model) : IReferenceModel
{
    public int VocabularySize => model.VocabularySize;

    public void Logits(ReadOnlySpan<int> ids, Span<float> logits)
    {
        using var session = model.Open(1, Math.Max(2, ids.Length));
        session.Prefill(0, ids, logits);
    }
}
