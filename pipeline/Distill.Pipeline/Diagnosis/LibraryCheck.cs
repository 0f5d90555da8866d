using System.Runtime.InteropServices;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Distill.Pipeline.Diagnosis;

/// <summary>The native libraries: whether they load is only known by loading them.</summary>
internal static class LibraryCheck
{
    private const string CudaProvider = "CUDAExecutionProvider";
    private const string DriverFile = "/proc/driver/nvidia/version";

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
        if (WhyTorchDoesNotLoad() is { } reason) return Absent(reason);
        try
        {
            using var one = torch.ones(1);
            return new("torch", MachineState.Ok, $"libtorch {torch.__version__}, {torch.get_num_threads()} threads");
        }
        catch (Exception fault) when (IsNotLoaded(fault))
        {
            return Absent(Innermost(fault));
        }

        static MachineFinding Absent(string reason) => new("torch", MachineState.Missing, reason,
            "Nothing can be trained; generating, evaluating and serving still work. Lift a limit on address space (ulimit -v), or build "
            + "on this machine: dotnet build Distill.sln.");
    }

    /// <summary>What the system says when libtorch is loaded, which TorchSharp keeps to itself; null when it loads.</summary>
    public static string? WhyTorchDoesNotLoad()
    {
        try
        {
            NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
            NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
            return null;
        }
        catch (Exception fault) when (fault is DllNotFoundException or BadImageFormatException)
        {
            // One line for every path that was tried; those where nothing lies say nothing.
            string[] lines = fault.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.FirstOrDefault(line => line.StartsWith('/') && !line.Contains("No such file", StringComparison.Ordinal))
                ?? lines[0];
        }
    }

    /// <summary>Driver, ONNX Runtime and torch must each know the GPU; says which of them do.</summary>
    public static MachineFinding Cuda()
    {
        bool driver = File.Exists(DriverFile), provider, torchKnows;
        try
        {
            provider = RuntimeTelemetry.Runtime.GetAvailableProviders().Contains(CudaProvider);
            torchKnows = WhyTorchDoesNotLoad() is null && torch.cuda_is_available();
        }
        catch (Exception fault) when (IsNotLoaded(fault))
        {
            return new("cuda", MachineState.Warning, Innermost(fault), "See the libraries above.");
        }

        string found = $"driver: {Word(driver)}, ONNX Runtime: {Word(provider)}, torch: {Word(torchKnows)}";
        if (driver && provider && torchKnows) return new("cuda", MachineState.Ok, found);
        return driver
            ? new("cuda", MachineState.Warning, found,
                "There is a GPU that this build does not use: dotnet build Distill.sln -p:Accelerator=cuda (docs/cuda.md).")
            : new("cuda", MachineState.Ok, $"{found}: this machine runs on the CPU");
    }

    private static bool IsNotLoaded(Exception fault) => fault is TypeInitializationException or DllNotFoundException
        or EntryPointNotFoundException or BadImageFormatException or NotSupportedException or OnnxRuntimeException;

    private static string Innermost(Exception fault) => fault.GetBaseException().Message.Split('\n')[0];

    private static string Short(string provider) => provider.Replace("ExecutionProvider", "", StringComparison.Ordinal);

    private static string Word(bool there) => there ? "yes" : "no";
}
