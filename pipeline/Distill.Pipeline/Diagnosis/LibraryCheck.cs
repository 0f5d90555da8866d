using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Libtorch;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Distill.Pipeline.Diagnosis;

/// <summary>The native libraries: whether they load is only known by loading them.</summary>
internal static class LibraryCheck
{
    public static MachineFinding OnnxRuntime()
    {
        try
        {
            var environment = RuntimeTelemetry.Runtime;
            string providers = string.Join(", ", environment.GetAvailableProviders().Select(Short));
            return new("onnxruntime", MachineState.Ok, $"{environment.GetVersionString()}, providers: {providers}");
        }
        catch (Exception fault) when (IsNotLoaded(fault))
        {
            return new("onnxruntime", MachineState.Missing, Innermost(fault),
                "Models cannot be run. Build again for this platform: dotnet build Distill.sln.");
        }
    }

    public static MachineFinding Torch()
    {
        if (LibtorchLoading.Fault is { } reason) return Absent(reason);
        try
        {
            return new("torch", MachineState.Ok, Described());
        }
        catch (Exception fault) when (IsNotLoaded(fault))
        {
            return Absent(Innermost(fault));
        }

        static MachineFinding Absent(string reason) => new("torch", MachineState.Missing, reason,
            "Nothing can be trained; generating, evaluating and serving still work. Lift a limit on address space (ulimit -v), or build "
            + "on this machine: dotnet build Distill.sln.");
    }

    // A method of its own, because TorchSharp may load libtorch as soon as a method that mentions it begins.
    private static string Described()
    {
        using var one = torch.ones(1);
        string version = CudaLibraries.LibtorchFolder() is { } folder
            ? $"{LibtorchFolder.VersionOf(folder) ?? "of unknown version"} in {folder}, used as {torch.__version__}" : torch.__version__;
        return $"libtorch {version}, {torch.get_num_threads()} threads";
    }

    public static bool IsNotLoaded(Exception fault) => fault is TypeInitializationException or DllNotFoundException
        or EntryPointNotFoundException or BadImageFormatException or NotSupportedException or OnnxRuntimeException;

    private static string Innermost(Exception fault) => fault.GetBaseException().Message.Split('\n')[0];

    private static string Short(string provider) => provider.Replace("ExecutionProvider", "", StringComparison.Ordinal);
}
