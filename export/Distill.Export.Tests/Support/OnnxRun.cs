using Distill.Architecture;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Support;

/// <summary>Runs an exported graph by hand, with a cache that grows by copies: the plainest way an application would.</summary>
internal static class OnnxRun
{
    public static InferenceSession Open(byte[] model)
    {
        _ = RuntimeTelemetry.Runtime;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        return new InferenceSession(model, options);
    }

    public static InferenceSession Open(string path)
    {
        _ = RuntimeTelemetry.Runtime;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        return new InferenceSession(path, options);
    }

    /// <summary>Logits [batch, time, vocab] of rows of equal length, without a cache.</summary>
    public static float[] Logits(InferenceSession session, DecoderArchitecture a, long[] ids, int batch)
    {
        var state = new Dictionary<string, float[]>();
        return Step(session, a, ids, batch, state);
    }

    /// <summary>Appends to the cache in <paramref name="state"/> and gives the logits of the new positions.</summary>
    /// <param name="options">Of the run; null: none.</param>
    public static float[] Step(
        InferenceSession session, DecoderArchitecture a, long[] ids, int batch, Dictionary<string, float[]> state,
        RunOptions? options = null)
    {
        long time = ids.Length / batch, rowSize = (long)batch * a.KeyValueHeads * a.HeadSize;
        long past = state.Count == 0 ? 0 : state["past_key_values.0.key"].Length / rowSize;
        var inputs = new Dictionary<string, OrtValue>
        {
            ["input_ids"] = OrtValue.CreateTensorValueFromMemory(ids, [batch, time]),
            ["attention_mask"] =
                OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, (int)(batch * (past + time))).ToArray(), [batch, past + time]),
        };
        foreach (string name in session.InputNames.Where(name => name.StartsWith("past", StringComparison.Ordinal)))
            inputs[name] = OrtValue.CreateTensorValueFromMemory(state.GetValueOrDefault(name, []),
                [batch, a.KeyValueHeads, past, a.HeadSize]);
        using var run = new RunOptions();
        using var outputs = session.Run(options ?? run, inputs, session.OutputNames);
        foreach (var input in inputs.Values) input.Dispose();
        float[] logits = [];
        for (int i = 0; i < session.OutputNames.Count; i++)
        {
            float[] values = outputs[i].GetTensorDataAsSpan<float>().ToArray();
            if (session.OutputNames[i] == "logits") logits = values;
            else state[session.OutputNames[i].Replace("present", "past_key_values")] = values;
        }

        return logits;
    }

    /// <summary>Largest difference relative to the largest magnitude of the reference.</summary>
    public static double RelativeDifference(ReadOnlySpan<float> actual, ReadOnlySpan<float> reference)
    {
        actual.Length.ShouldBe(reference.Length);
        double difference = 0, magnitude = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            difference = Math.Max(difference, Math.Abs((double)actual[i] - reference[i]));
            magnitude = Math.Max(magnitude, Math.Abs(reference[i]));
            if (!float.IsFinite(actual[i])) return double.PositiveInfinity;
        }

        return difference / magnitude;
    }
}
