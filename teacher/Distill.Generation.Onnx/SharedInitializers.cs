using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Constants of a graph whose memory a model reads in place, so that changing them changes the model without opening it anew. Not safe to
/// write while a session of the model runs. The creator disposes it, after the model.
/// </summary>
public sealed class SharedInitializers : IDisposable
{
    private readonly Dictionary<string, (NativeBuffer<float> Buffer, OrtValue Value)> values = [];

    /// <summary>Adds an fp32 constant, zero until it is written.</summary>
    /// <param name="name">As the graph names it; its shape there is not checked against <paramref name="shape"/>.</param>
    public void Add(string name, IReadOnlyList<long> shape)
    {
        var buffer = new NativeBuffer<float>(shape.Aggregate(1L, (product, size) => checked(product * size)));
        values.Add(name, (buffer, buffer.View(TensorElementType.Float, 0, [.. shape])));
    }

    /// <summary>The constant's memory.</summary>
    public Span<float> this[string name] => values[name].Buffer.Span(0, checked((int)values[name].Buffer.Length));

    public void Dispose()
    {
        foreach (var (buffer, value) in values.Values)
        {
            value.Dispose();
            buffer.Dispose();
        }
    }

    // Whatever would keep a copy is switched off: matrices packed at the start, constants folded into others.
    internal void AddTo(SessionOptions options)
    {
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC;
        options.AddSessionConfigEntry("session.disable_prepacking", "1");
        options.AddSessionConfigEntry("optimization.disable_specified_optimizers", "ConstantFolding");
        foreach (var (name, (_, value)) in values) options.AddInitializer(name, value);
    }
}
