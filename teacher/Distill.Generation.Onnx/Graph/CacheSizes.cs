using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>Key-value heads and head size, gathered from every cache tensor [batch, heads, length, head size] and the configuration: all must agree.</summary>
internal sealed class CacheSizes(GenAIConfiguration? configuration, string source)
{
    public int Heads { get; private set; }

    public int HeadSize { get; private set; }

    /// <exception cref="InvalidDataException">The tensor differs from those before, or from the configuration.</exception>
    public void Add(GraphValues values, string name, TensorElementType type)
    {
        int[] dims = values.Expect(name, type, 4);
        if (dims[0] > 0 || dims[2] > 0) throw values.Fault($"fixes the shape of '{name}' to [{string.Join(", ", dims)}]; batch and length must be open");
        Heads = Agreed($"key-value heads of {name}", dims[1], configuration?.KeyValueHeads, Heads);
        HeadSize = Agreed($"head size of {name}", dims[3], configuration?.HeadSize, HeadSize);
    }

    /// <summary>The one size that graph, configuration and what was seen before give; 0 or less means open.</summary>
    public int Agreed(string what, int graph, int? configured, int known)
    {
        int size = graph > 0 ? graph : configured ?? known;
        if (size <= 0) throw new InvalidDataException($"{source} leaves the {what} open; give it as a number.");
        int expected = configured ?? (known > 0 ? known : size);
        return size == expected && (known <= 0 || size == known)
            ? size
            : throw new InvalidDataException($"{source} has {what} {size}, expected {expected}{DecoderSignature.SaidBy(configuration)}.");
    }
}
