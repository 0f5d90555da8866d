using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Distill.Pipeline.Diagnosis;

internal static class RuntimeCheck
{
    private const string ProcessorFile = "/proc/cpuinfo";

    public static MachineFinding Runtime() =>
        new("runtime", MachineState.Ok, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");

    public static MachineFinding Processor()
    {
        string vectors = Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated ? "128-bit vectors" : "no vectors";
        bool slow = !Avx2.IsSupported && RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64;
        return new("processor", slow ? MachineState.Warning : MachineState.Ok, $"{Name()}, {Environment.ProcessorCount} logical cores, {vectors}",
            slow ? "Without AVX2 products of matrices are several times slower; take another machine for more than a trial." : null);
    }

    private static string Name()
    {
        string? line = File.Exists(ProcessorFile) ? File.ReadLines(ProcessorFile).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown";
    }
}
