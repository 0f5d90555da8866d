using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Constants of a graph whose memory a model reads in place, so that changing them changes the model without opening it anew. Not safe to
/// write while a session of the model runs. The creator disposes it, after the model.
/// </summary>
internal sealed class SharedInitializers : IDisposable
{
    private readonly Dictionary<string, (NativeBuffer<float> Buffer, OrtValue Value)> values = [];

    /// <summary>Adds an fp32 constant, zero until it is written.</summary>
    /// <param name="name">As the graph names it; its shape there is not checked against <paramref name="shape"/>.</param>
    public void Add(string name, IReadOnlyList<long> shape)
    {
        _ = RuntimeTelemetry.Runtime; // a value loads the library
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

/// <summary>
/// Slots beside one more that nobody asked for, whose row runs with every step: matrices that are not packed are multiplied by another
/// routine when there is a single row, with other last bits, and what a row gives must not depend on whether others run beside it. Prompts
/// of one token are still read by that routine, always. Owns the session.
/// </summary>
internal sealed class CompanionSession(DecodeSession session, int vocabularySize) : IDecodeSession
{
    private readonly int[] ids = new int[session.Slots];
    private readonly float[] rows = new float[(long)session.Slots * vocabularySize];

    public int Slots => session.Slots - 1;

    public int MaxLength => session.MaxLength;

    public int Length(int slot) => session.Length(slot + 1);

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits) => session.Prefill(slot + 1, tokens, logits);

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, Slots, nameof(tokens));
        if (tokens.IsEmpty) return;
        tokens.CopyTo(ids.AsSpan(1));
        session.Step(ids.AsSpan(0, tokens.Length + 1), rows.AsSpan(0, (tokens.Length + 1) * vocabularySize));
        session.Clear(0);
        rows.AsSpan(vocabularySize, tokens.Length * vocabularySize).CopyTo(logits);
    }

    public void Copy(int from, int to, int length) => session.Copy(from + 1, to + 1, length);

    public void Truncate(int slot, int length) => session.Truncate(slot + 1, length);

    public void Clear(int slot) => session.Clear(slot + 1);

    public void Cancel() => session.Cancel();

    public void Dispose() => session.Dispose();
}
