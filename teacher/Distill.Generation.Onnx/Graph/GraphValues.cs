using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>Inputs or outputs of a loaded graph; what is not as the engine needs it is refused by name.</summary>
internal readonly struct GraphValues(IReadOnlyDictionary<string, NodeMetadata> values, string source)
{
    public IEnumerable<string> Names => values.Keys;

    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>Element type of a value that holds floating-point numbers.</summary>
    /// <exception cref="InvalidDataException">It is absent, or neither float nor float16.</exception>
    public TensorElementType TypeOf(string name)
    {
        NodeMetadata value = Find(name);
        return value.IsTensor && CacheLayout.IsSupported(value.ElementDataType)
            ? value.ElementDataType
            : throw Fault($"declares '{name}' as {(value.IsTensor ? value.ElementDataType : value.OnnxValueType)}; the engine needs Float or Float16");
    }

    /// <returns>The dimensions; a symbolic one is negative.</returns>
    /// <exception cref="InvalidDataException">The value is absent or of another type or rank.</exception>
    public int[] Expect(string name, TensorElementType type, int rank)
    {
        NodeMetadata value = Find(name);
        if (value.IsTensor && value.ElementDataType == type && value.Dimensions.Length == rank) return value.Dimensions;
        string found = value.IsTensor ? $"{value.ElementDataType} of rank {value.Dimensions.Length}" : value.OnnxValueType.ToString();
        throw Fault($"declares '{name}' as {found}; the engine needs {type} of rank {rank}");
    }

    public InvalidDataException Fault(string reason) => new($"{source} {reason}.");

    private NodeMetadata Find(string name) => values.TryGetValue(name, out NodeMetadata? value) ? value : throw Fault($"has no '{name}'");
}
