using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Distill.Benchmarks.Machines;

/// <summary>What the results were measured on and with.</summary>
internal sealed record MachineDescription(string Processor, int Cores, string Runtime, string OnnxRuntime, string Torch, DateOnly Date)
{
    private const string ProcessorFile = "/proc/cpuinfo";

    public static MachineDescription Read(TimeProvider clock) => new(
        ReadProcessor(),
        Environment.ProcessorCount,
        RuntimeInformation.FrameworkDescription,
        OrtEnv.Instance().GetVersionString(),
        $"{torch.__version__} (TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)})",
        DateOnly.FromDateTime(clock.GetUtcNow().Date));

    private static string ReadProcessor()
    {
        string? line = File.Exists(ProcessorFile) ? File.ReadLines(ProcessorFile).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
