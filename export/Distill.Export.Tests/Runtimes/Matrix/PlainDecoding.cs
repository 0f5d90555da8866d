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
    public static IReadOnlyList<DecodedRow> Run(string graph, DecoderArchitecture a, IReadOnlyList<int[]> prompts, int steps)
    {
        using var options = Options();
        using var session = new InferenceSession(graph, options);
        return [.. prompts.Select(prompt => Row(session, a, prompt, steps))];
    }

    /// <summary>How far the logits at decoded tokens lie from those of a graph whose products take their activations as they are.</summary>
    /// <param name="exact">The same model over the same codes.</param>
    /// <returns>The largest distance, as a share of the largest logit at its token.</returns>
    public static double RoundingOf(string graph, byte[] exact, DecoderArchitecture a, IReadOnlyList<DecodedRow> rows)
    {
        using var options = Options();
        using var rounding = new InferenceSession(graph, options);
        using var plain = new InferenceSession(exact, options);
        return rows.Max(row => Apart(Logits(rounding, a, row), Logits(plain, a, row), row.Tokens.Length));
    }

    private static SessionOptions Options()
    {
        _ = RuntimeTelemetry.Runtime;
        return new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
    }

    private static double Apart(float[] one, float[] other, int tokens)
    {
        int vocabulary = one.Length / tokens;
        double largest = 0;
        for (int first = 0; first < one.Length; first += vocabulary)
        {
            var logits = one.AsSpan(first, vocabulary);
            float[] moves = new float[vocabulary];
            TensorPrimitives.Subtract(logits, other.AsSpan(first, vocabulary), moves);
            largest = Math.Max(largest, Magnitude(moves) / Magnitude(logits));
        }

        return largest;
    }

    private static double Magnitude(ReadOnlySpan<float> values) => Math.Abs(TensorPrimitives.MaxMagnitude(values));

    // [tokens, vocabulary]: what each of the row's tokens was chosen from, in one pass without a cache.
    private static float[] Logits(InferenceSession session, DecoderArchitecture a, DecodedRow row)
    {
        long[] ids = [.. row.Prompt.Concat(row.Tokens.SkipLast(1)).Select(id => (long)id)];
        var past = EmptyPast(session, a);
        using var id = OrtValue.CreateTensorValueFromMemory(ids, [1, ids.Length]);
        using var mask = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, ids.Length).ToArray(), [1, ids.Length]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["input_ids", "attention_mask", .. past.Keys], [id, mask, .. past.Values], ["logits"]);
        foreach (var value in past.Values) value.Dispose();
        var logits = outputs[0].GetTensorDataAsSpan<float>();
        return logits[^(logits.Length / ids.Length * row.Tokens.Length)..].ToArray();
    }

    private static DecodedRow Row(InferenceSession session, DecoderArchitecture a, int[] prompt, int steps)
    {
        var tokens = new List<int>();
        var margins = new List<double>();
        var past = EmptyPast(session, a);
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
        return (best, (logits[best] - next) / Magnitude(logits));
    }

    private static Dictionary<string, OrtValue> EmptyPast(InferenceSession session, DecoderArchitecture a) =>
        session.InputNames.Where(name => name.StartsWith("past", StringComparison.Ordinal))
            .ToDictionary(name => name, name => Empty(session.InputMetadata[name].ElementDataType, a));

    // [1, kv, 0, headSize]
    private static OrtValue Empty(TensorElementType type, DecoderArchitecture a)
    {
        long[] shape = [1, a.KeyValueHeads, 0, a.HeadSize];
        return type == TensorElementType.Float16
            ? OrtValue.CreateTensorValueFromMemory(Array.Empty<Float16>(), shape)
            : OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), shape);
    }
}
