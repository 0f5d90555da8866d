using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>What an ONNX file says of itself without being loaded.</summary>
/// <param name="SharesCache">It has GroupQueryAttention, which appends to one cache buffer in place; otherwise a cache grows by copies.</param>
/// <param name="ElementTypes">Numbers of the enumeration <see cref="TensorElementType"/> (that of onnx.proto3) by input or output.</param>
internal sealed record GraphFacts(bool SharesCache, IReadOnlyDictionary<string, int> ElementTypes)
{
    /// <returns>Null for a value that the graph does not have or whose type is not one the engine computes with.</returns>
    public TensorElementType? FloatTypeOf(string value) =>
        ElementTypes.TryGetValue(value, out int type) && CacheLayout.IsSupported((TensorElementType)type) ? (TensorElementType)type : null;
}
