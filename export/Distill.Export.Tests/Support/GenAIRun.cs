using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntimeGenAI;

namespace Distill.Export.Tests.Support;

/// <summary>ONNX Runtime GenAI as an application calls it.</summary>
internal static class GenAIRun
{
    /// <summary>Greedy tokens after one prompt, for each adapter in turn; null is none.</summary>
    public static int[][] Greedy(string folder, (string? Name, string? Path)[] runs, int[] prompt, int count)
    {
        _ = RuntimeTelemetry.Runtime; // the libonnxruntime that GenAI finds
        using var model = new Model(folder);
        using var adapters = new Microsoft.ML.OnnxRuntimeGenAI.Adapters(model);
        foreach (var (name, path) in runs.Where(run => run.Name is not null).Distinct()) adapters.LoadAdapter(path!, name!);
        return [.. runs.Select(run =>
        {
            using var parameters = new GeneratorParams(model);
            parameters.SetSearchOption("max_length", prompt.Length + count);
            using var generator = new Generator(model, parameters);
            if (run.Name is { } name) generator.SetActiveAdapter(adapters, name);
            generator.AppendTokens(prompt);
            while (!generator.IsDone()) generator.GenerateNextToken();
            return generator.GetSequence(0)[prompt.Length..].ToArray();
        })];
    }
}
