using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Distill.Pipeline.Diagnosis;

internal static class RuntimeCheck
{
    public static MachineFinding Runtime() =>
        new("runtime", MachineState.Ok, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");

    public static MachineFinding Processor()
    {
        string vectors = Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated ? "128-bit vectors" : "no vectors";
        bool slow = !Avx2.IsSupported && RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64;
        return new("processor", slow ? MachineState.Warning : MachineState.Ok, $"{ProcessorName.Read()}, {Environment.ProcessorCount} logical cores, {vectors}",
            slow ? "Without AVX2 products of matrices are several times slower; take another machine for more than a trial." : null);
    }
}
