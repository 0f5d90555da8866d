using System.Runtime.InteropServices;
using Distill.Generation;
using Distill.Storage;
using TorchSharp;

namespace Distill.Libtorch;

/// <summary>
/// The one place that decides which libtorch this process uses: the program's own, or the one that DISTILL_LIBTORCH names. Whatever needs
/// torch calls <see cref="Require"/> before anything else of TorchSharp, since TorchSharp loads by its own rules whatever is not loaded
/// yet, and since the backend for CUDA cannot come after that for the processor. Safe from any thread.
/// </summary>
internal static class LibtorchLoading
{
    private const string TorchSharpFile = "libLibTorchSharp.so", ProcessorFile = "libtorch_cpu.so";

    // oneDNN, which multiplies bf16 on the processor, makes machine code for every shape that it meets and keeps that of 1,024. A training
    // meets more: micro-batches of many lengths, times the products of a layer, forward and backward. Making it anew for each took a
    // quarter of the time. What is kept came to gigabytes where every number of rows was asked for, so trainings ask for sixteens of rows.
    private const string KeptCode = "ONEDNN_PRIMITIVE_CACHE_CAPACITY", KeptCodeByOldName = "DNNL_PRIMITIVE_CACHE_CAPACITY",
        KeptShapes = "16384";

    // What went wrong once goes wrong every time: half of libtorch may be loaded by then.
    private static readonly Lazy<string?> s_fault = new(Load);

    /// <summary>Why torch cannot be used, in one line; null when it is loaded.</summary>
    public static string? Fault => s_fault.Value;

    /// <summary>
    /// Of the libtorch that is used: what the one that DISTILL_LIBTORCH names says of itself, else what TorchSharp was built for.
    /// </summary>
    public static string Version =>
        CudaLibraries.LibtorchFolder() is { } folder && LibtorchFolder.VersionOf(folder) is { } version ? version : torch.__version__;

    /// <summary>Loads libtorch for good, the first time it is called.</summary>
    /// <exception cref="DllNotFoundException">It cannot be loaded; says why.</exception>
    public static void Require()
    {
        if (Fault is { } reason) throw new DllNotFoundException($"torch: {reason}");
    }

    /// <summary>Where the program's own native libraries are looked for, as its host found them.</summary>
    public static string? OwnFile(string name) =>
        (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Append(AppContext.BaseDirectory)
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static string? Load()
    {
        NativeEnvironment.SetUnlessSet(KeptCode, KeptShapes, KeptCodeByOldName);
        try
        {
            return CudaLibraries.LibtorchFolder() is { } folder ? LoadFrom(folder) : LoadOwn();
        }
        catch (Exception fault) when (fault is DllNotFoundException or BadImageFormatException)
        {
            return FirstReason(fault.Message);
        }
    }

    private static string? LoadFrom(string folder)
    {
        string named = $"{CudaLibraries.LibtorchVariable}: ";
        if (!OperatingSystem.IsLinux()) return $"{named}a libtorch of one's own can be named on Linux alone";
        if (OwnFile(TorchSharpFile) is not { } torchSharp) return $"this build has no {TorchSharpFile}; publish it for linux-x64";
        string path = Path.Combine(folder, ProcessorFile);
        if (File.Exists(path) && OwnFile(ProcessorFile) is { } own && !IsSame(own, path))
        {
            return $"{named}this build brings its own {ProcessorFile} ({own}), and a process takes only one; build it with "
                + $"-p:Torch=external, or unset {CudaLibraries.LibtorchVariable}";
        }

        if (LibtorchFolder.FaultOf(folder, torchSharp) is { } fault) return named + fault;

        // The one for CUDA brings the others along, and must not come after them.
        string cuda = Path.Combine(folder, LibtorchFolder.Cuda);
        if (File.Exists(cuda)) NativeLibrary.Load(cuda);
        foreach (string name in LibtorchFolder.Names) NativeLibrary.Load(Path.Combine(folder, name));
        return LoadOwn();
    }

    // Also after another libtorch is loaded: its names are then found by the loader, whose libraries go by them.
    private static string? LoadOwn()
    {
        bool forCuda = NativeLibrary.TryLoad("torch_cuda", typeof(torch).Assembly, null, out _);
        NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
        NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
        if (forCuda) torch.TryInitializeDeviceType(DeviceType.CUDA);
        return null;
    }

    private static bool IsSame(string one, string other) =>
        NativeFile.Status(one) is { } first && NativeFile.Status(other) is { } second
        && (first.Device, first.Inode) == (second.Device, second.Inode);

    // One line for every path that was tried; those where nothing lies say nothing.
    private static string FirstReason(string message)
    {
        string[] lines = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string reason = lines.FirstOrDefault(line => line.StartsWith('/') && !line.Contains("No such file", StringComparison.Ordinal))
            ?? lines[0];
        return OperatingSystem.IsLinux() && CudaLibraries.LibtorchFolder() is null && OwnFile(ProcessorFile) is null
            ? $"this build brings no libtorch (-p:Torch=external); set {CudaLibraries.LibtorchVariable} to the torch/lib of a PyTorch"
            : reason;
    }
}
