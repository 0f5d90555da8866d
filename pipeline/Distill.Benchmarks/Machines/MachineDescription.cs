using System.Runtime.InteropServices;
using Distill.Pipeline.Diagnosis;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Distill.Benchmarks.Machines;

/// <summary>What the results were measured on and with.</summary>
internal sealed record MachineDescription(string Processor, int Cores, string Runtime, string OnnxRuntime, string Torch, DateOnly Date)
{
    public static MachineDescription Read(TimeProvider clock) => new(
        ProcessorName.Read(),
        Environment.ProcessorCount,
        RuntimeInformation.FrameworkDescription,
        OrtEnv.Instance().GetVersionString(),
        $"{torch.__version__} (TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)})",
        DateOnly.FromDateTime(clock.GetUtcNow().Date));
}
