using System.Runtime.InteropServices;

namespace Distill.Pipeline.Diagnosis;

/// <summary>What the processor calls itself.</summary>
public static class ProcessorName
{
    private const string ProcessorFile = "/proc/cpuinfo";

    public static string Read()
    {
        string? line = File.Exists(ProcessorFile) ? File.ReadLines(ProcessorFile).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
