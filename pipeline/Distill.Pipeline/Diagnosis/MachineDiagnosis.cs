using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Distill.Libtorch;
using Distill.Student.Training;

namespace Distill.Pipeline.Diagnosis;

internal enum MachineState
{
    Ok,

    /// <summary>Works, but slower, or not for everything.</summary>
    Warning,

    /// <summary>Needed and absent.</summary>
    Missing,
}

/// <summary>What a check of the machine found.</summary>
/// <param name="Remedy">What to do about it; null when there is nothing to do.</param>
internal sealed record MachineFinding(string Name, MachineState State, string Found, string? Remedy = null);

/// <summary>What this machine can do, what is missing and how to get it. Changes nothing but a file that it removes again.</summary>
internal static class MachineDiagnosis
{
    private const string ProcessorFile = "/proc/cpuinfo";

    /// <param name="folder">Where runs are to be written; it or the nearest folder above it must exist.</param>
    /// <param name="needsCuda">Everything that a card needs is looked at, and what of it is not there counts as missing.</param>
    public static IReadOnlyList<MachineFinding> Run(string folder, bool needsCuda = false) =>
    [
        Runtime(),
        Processor(),
        ResourceCheck.Memory(),
        ResourceCheck.Disk(folder),
        ResourceCheck.Links(folder),
        LibraryCheck.OnnxRuntime(),
        LibraryCheck.Torch(),
        .. needsCuda ? CudaDiagnosis.Needed(CudaProbe.WholeMachine) : CudaDiagnosis.Offered(CudaProbe.Machine),
    ];

    /// <summary>Whether this machine's memory suffices to run a model.</summary>
    /// <param name="model">A model folder or a checkpoint.</param>
    /// <param name="slots">Rows decoded together.</param>
    /// <param name="maxLength">Longest sequence, prompt and completion together.</param>
    /// <param name="needsCuda">Also whether a card can run its graph and hold it.</param>
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static IReadOnlyList<MachineFinding> Run(string model, int slots, int maxLength, bool needsCuda = false) => needsCuda
        ? [ResourceCheck.Model(model, slots, maxLength), .. CudaModelCheck.Of(model, slots, maxLength, CudaProbe.WholeMachine)]
        : [ResourceCheck.Model(model, slots, maxLength)];

    /// <summary>What the system says about libtorch; null where it loads.</summary>
    public static string? WhyTorchDoesNotLoad() => LibtorchLoading.Fault;

    /// <summary>
    /// For commands that train: hours of other work must not end with it, and TorchSharp itself writes to the console when it fails.
    /// </summary>
    /// <exception cref="DllNotFoundException">libtorch cannot be loaded; says why.</exception>
    public static void RequireTorch() => LibtorchLoading.Require();

    /// <summary>What the processor calls itself.</summary>
    public static string ProcessorName()
    {
        string? line = File.Exists(ProcessorFile)
            ? File.ReadLines(ProcessorFile).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static MachineFinding Runtime() => new("runtime", MachineState.Ok,
        $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");

    private static MachineFinding Processor()
    {
        string vectors = Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2"
            : Vector128.IsHardwareAccelerated ? "128-bit vectors" : "no vectors";
        bool slow = !Avx2.IsSupported && RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64;
        return new("processor", slow ? MachineState.Warning : MachineState.Ok,
            $"{ProcessorName()}, {Environment.ProcessorCount} logical cores, {vectors}, "
            + (TrainingOptions.HasBFloat16Products ? "products of bf16" : "no fast products of bf16: mixed precision trains in fp32"),
            slow ? "Without AVX2 products of matrices are several times slower; take another machine for more than a trial." : null);
    }
}
