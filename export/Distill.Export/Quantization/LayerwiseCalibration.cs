using Distill.Architecture;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Export.Quantization;

/// <summary>
/// Chooses the codes of a decoder's projections layer by layer over texts, which go through the model as it is rounded so far: in memory
/// are one layer, its moments and what enters it. Deterministic on one machine. One thread of the caller's; threads inside are its
/// own business.
/// </summary>
internal sealed class LayerwiseCalibration(WeightSet weights, CalibrationOptions options)
{
    private readonly DecoderArchitecture architecture = weights.Architecture;

    /// <param name="texts">Token ids, each text by itself; at most as long as the model reads.</param>
    /// <param name="progress">Told the share done, from 0 to 1.</param>
    /// <returns>Every projection of the layers; not the embedding and not the output projection.</returns>
    /// <exception cref="InvalidDataException">Activations are no numbers.</exception>
    public IReadOnlyDictionary<string, QuantizedMatrix> Run(
        IReadOnlyList<IReadOnlyList<int>> texts, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var matrices = new Dictionary<string, QuantizedMatrix>();
        using var without = no_grad();
        using var layers = new LayerDecoder(architecture);
        var table = weights[ParameterMap.Embedding];
        Tensor[] states = [.. texts.Select(text => Embed(text, table.Span))];
        try
        {
            for (int layer = 0; layer < architecture.Layers; layer++)
            {
                var decoder = layers.Load(weights, layer);
                Half(CalibrationOptions.Attention, x => decoder.RunAttention(x, 0));
                Half(CalibrationOptions.FeedForward, x => decoder.RunFeedForward(x, 0));
                progress?.Invoke((layer + 1.0) / architecture.Layers);

                void Half(IReadOnlyList<string> parts, Func<Tensor, Tensor> run)
                {
                    cancellation.ThrowIfCancellationRequested();
                    using (var moments = Measure(states, decoder, run)) Choose(layer, parts, moments, layers, matrices);
                    foreach (ref var x in states.AsSpan()) Replace(ref x, run);
                }
            }
        }
        finally
        {
            foreach (var x in states) x.Dispose();
        }

        return matrices;
    }

    // Runs a half of a layer with its exact weights over what the rounded layers before it gave.
    private static InputMoments Measure(Tensor[] states, TorchDecoder decoder, Func<Tensor, Tensor> run)
    {
        var moments = new InputMoments();
        decoder.Reading = (part, x) =>
        {
            if (Shared(part) == part) moments.Add(part, x);
        };
        foreach (var x in states) run(x).Dispose();
        decoder.Reading = null;
        return moments;
    }

    // Queries, keys and values read the same, and so do gate and up.
    private static string Shared(string part) => part switch
    {
        "self_attn.k_proj" or "self_attn.v_proj" => "self_attn.q_proj",
        "mlp.up_proj" => "mlp.gate_proj",
        _ => part,
    };

    private void Choose(
        int layer, IReadOnlyList<string> parts, InputMoments moments, LayerDecoder layers, Dictionary<string, QuantizedMatrix> matrices)
    {
        foreach (var group in parts.GroupBy(Shared))
        {
            using var scope = NewDisposeScope();
            var order = InverseFactor.Order(moments.Hessian(group.Key), options.FallingOrder);
            foreach (string part in group)
            {
                string name = CalibrationOptions.NameOf(layer, part);
                var exact = weights[name];
                double[] values = new double[exact.Length];
                for (int i = 0; i < values.Length; i++) values[i] = exact.Span[i];
                var matrix = new QuantizedMatrix(options.Layout(name), values.Length / order.Columns, order.Columns);
                new GptqRounding(order, matrix.Layout, options.Rule).Round(values, matrix, options.Threads);
                float[] stored = new float[values.Length];
                matrix.Dequantize(stored);
                layers.Set(layer, part, stored);
                matrices.Add(name, matrix);
            }
        }
    }

    // [1, time, hidden]
    private Tensor Embed(IReadOnlyList<int> ids, ReadOnlySpan<float> table)
    {
        int width = architecture.HiddenSize;
        float[] rows = new float[ids.Count * width];
        for (int i = 0; i < ids.Count; i++) table.Slice(ids[i] * width, width).CopyTo(rows.AsSpan(i * width));
        return tensor(rows, [1, ids.Count, width]).DetachFromDisposeScope();
    }

    private static void Replace(ref Tensor x, Func<Tensor, Tensor> run)
    {
        var next = run(x).DetachFromDisposeScope();
        x.Dispose();
        x = next;
    }
}
