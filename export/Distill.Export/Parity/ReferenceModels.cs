using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Generation;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Export.Parity;

/// <summary>
/// The model an export is held against: computes every sequence whole, with no cache that could share a fault with the exported
/// one's. One thread at a time.
/// </summary>
public interface IReferenceModel
{
    int VocabularySize { get; }

    /// <param name="ids">One sequence.</param>
    /// <param name="logits">Filled with [positions, vocab], those of the last positions; room for all of them asks for all.</param>
    void Logits(ReadOnlySpan<int> ids, Span<float> logits);
}

/// <summary>
/// The TorchSharp decoder as the reference: plain operations, no cache, none of the code that exports or serves. Dispose it.
/// </summary>
public sealed class TorchReferenceModel : IReferenceModel, IDisposable
{
    private readonly FlatParameters parameters;
    private readonly TorchDecoder decoder;

    /// <summary>Copies the weights.</summary>
    public TorchReferenceModel(WeightSet weights)
    {
        parameters = new FlatParameters(weights.Architecture);
        parameters.Load(weights);
        decoder = new TorchDecoder(parameters, differentiable: false);
    }

    public int VocabularySize => decoder.Architecture.VocabularySize;

    /// <summary>What computes; it stays this model's.</summary>
    internal TorchDecoder Decoder => decoder;

    /// <summary>The weights; they stay this model's and must not change.</summary>
    internal FlatParameters Parameters => parameters;

    public void Logits(ReadOnlySpan<int> ids, Span<float> logits)
    {
        long[] wide = new long[ids.Length];
        for (int i = 0; i < ids.Length; i++) wide[i] = ids[i];
        using var scope = NewDisposeScope();
        using var without = no_grad();
        int first = ids.Length - (logits.Length / VocabularySize);
        using var output = decoder.Forward(tensor(wide, [1, wide.Length]), first).contiguous(); // [1, time − first, vocab]
        MemoryMarshal.Cast<byte, float>(output.bytes).CopyTo(logits);
    }

    public void Dispose()
    {
        decoder.Dispose();
        parameters.Dispose();
    }
}

/// <summary>Any token model as a reference: each sequence is one prefill of an empty cache. The model stays the caller's.</summary>
internal sealed class TokenModelReference(ITokenModel model) : IReferenceModel
{
    public int VocabularySize => model.VocabularySize;

    public void Logits(ReadOnlySpan<int> ids, Span<float> logits)
    {
        using var session = model.Open(1, Math.Max(2, ids.Length));
        float[] all = new float[checked(ids.Length * VocabularySize)]; // [time, vocab]
        session.Prefill(0, ids, all);
        all.AsSpan(all.Length - logits.Length).CopyTo(logits);
    }
}
