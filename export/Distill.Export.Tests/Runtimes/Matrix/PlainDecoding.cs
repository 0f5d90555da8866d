using System.Numerics.Tensors;
using Distill.Architecture;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Export.Tests.Runtimes.Matrix;

/// <summary>
/// Greedy decoding by ONNX Runtime alone, as its users write it by hand: every step's present is the next one's past. None of the engine's
/// code has a part in it.
/// </summary>
internal static class PlainDecoding
{
    /// <param name="roundsActivations">False: products over quantized weights are exact, as in runtimes without kernels for int8.</param>
    public static IReadOnlyList<DecodedRow> Run(
        string graph, DecoderArchitecture a, IReadOnlyList<int[]> prompts, int steps, bool roundsActivations = true)
    {
        _ = RuntimeTelemetry.Runtime;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (!roundsActivations)
        {
            options.AddSessionConfigEntry("mlas.qnbit.force_fp32", "1");
            options.AddSessionConfigEntry("session.qdq_matmulnbits_accuracy_level", "0");
        }

        using var session = new InferenceSession(graph, options);
        return [.. prompts.Select(prompt => Row(session, a, prompt, steps))];
    }

    private static DecodedRow Row(InferenceSession session, DecoderArchitecture a, int[] prompt, int steps)
    {
        var tokens = new List<int>();
        var margins = new List<double>();
        var past = session.InputNames.Where(name => name.StartsWith("past", StringComparison.Ordinal))
            .ToDictionary(name => name, name => Empty(session.InputMetadata[name].ElementDataType, a));
        long[] ids = [.. prompt.Select(id => (long)id)];
        for (int length = ids.Length; tokens.Count < steps; length++)
        {
            var (token, margin) = Step(session, ids, length, past);
            tokens.Add(token);
            margins.Add(margin);
            if (a.EndTokenIds.Contains(token)) break;
            ids = [token];
        }

        foreach (var value in past.Values) value.Dispose();
        return new(prompt, [.. tokens], [.. margins]);
    }

    private static (int Token, double Margin) Step(InferenceSession session, long[] ids, int length, Dictionary<string, OrtValue> past)
    {
        using var id = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var mask = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, length).ToArray(), [1, length]);
        using var run = new RunOptions();
        string[] names = [.. session.OutputNames];
        var outputs = session.Run(
            run, ["input_ids", "attention_mask", .. past.Keys], [id, mask, .. past.Values], names);
        (int, double) chosen = default;
        for (int i = 0; i < names.Length; i++)
        {
            if (names[i] == "logits")
            {
                var logits = outputs[i].GetTensorDataAsSpan<float>();
                chosen = Choice(logits[^(logits.Length / ids.Length)..]);
                outputs[i].Dispose();
                continue;
            }

            string name = names[i].Replace("present", "past_key_values", StringComparison.Ordinal);
            past[name].Dispose();
            past[name] = outputs[i];
        }

        return chosen;
    }

    private static (int Token, double Margin) Choice(ReadOnlySpan<float> logits)
    {
        int best = TensorPrimitives.IndexOfMax(logits);
        float next = Math.Max(
            best > 0 ? TensorPrimitives.Max(logits[..best]) : float.NegativeInfinity,
            best < logits.Length - 1 ? TensorPrimitives.Max(logits[(best + 1)..]) : float.NegativeInfinity);
        return (best, (logits[best] - next) / Math.Abs(TensorPrimitives.MaxMagnitude(logits)));
    }

    // [1, kv, 0, headSize]
    private static OrtValue Empty(TensorElementType type, DecoderArchitecture a)
    {
        long[] shape = [1, a.KeyValueHeads, 0, a.HeadSize];
        return type == TensorElementType.Float16
            ? OrtValue.CreateTensorValueFromMemory(Array.Empty<Float16>(), shape)
            : OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), shape);
    }
}
