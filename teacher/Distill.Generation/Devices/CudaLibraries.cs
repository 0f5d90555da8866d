using System.Runtime.InteropServices;

namespace Distill.Generation;

/// <summary>
/// The CUDA libraries that ONNX Runtime's provider is linked against, by the names it asks for. Where the system's loader does not find
/// one, the folders of an installed PyTorch are looked at, whose wheels bring them; a library loaded from there serves the provider too,
/// because Linux takes a library that is loaded already by its name. Stateless; safe from any thread.
/// </summary>
internal static class CudaLibraries
{
    /// <summary>Names the folder with libtorch.so, e.g. <c>…/site-packages/torch/lib</c> of an installed PyTorch.</summary>
    public const string LibtorchVariable = "DISTILL_LIBTORCH";

    public const string Driver = "libcuda.so.1";

    private const int MostFolders = 64;

    /// <summary>What libonnxruntime_providers_cuda.so 1.31 needs (its DT_NEEDED) beside the driver; what others need comes first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10"];

    /// <summary>Loads a library for good.</summary>
    /// <param name="libtorch">Folder of libtorch of an installed PyTorch; null where none is known.</param>
    /// <param name="reason">Why it is not there, in one line.</param>
    public static bool TryLoad(string name, string? libtorch, out string reason)
    {
        reason = "";
        if (NativeLibrary.TryLoad(name, out _)) return true;
        foreach (string path in WheelFolders(libtorch).Select(folder => Path.Combine(folder, name)).Where(File.Exists))
        {
            if (NativeLibrary.TryLoad(path, out _)) return true;
            reason = $"{path} cannot be loaded";
        }

        if (reason.Length == 0) reason = "not found";
        return false;
    }

    /// <summary>Loads what can be loaded, so that the provider finds it; what is missing the provider itself will name.</summary>
    public static void LoadAll(string? libtorch)
    {
        foreach (string name in Names) _ = TryLoad(name, libtorch, out _);
    }

    /// <summary>The folder that <see cref="LibtorchVariable"/> names; null when it names none.</summary>
    public static string? LibtorchFolder() =>
        Environment.GetEnvironmentVariable(LibtorchVariable) is { Length: > 0 } folder ? Path.GetFullPath(folder) : null;

    // site-packages/torch/lib → site-packages/nvidia/<package>/lib, and libtorch's own folder, where its archive brings them along.
    private static IEnumerable<string> WheelFolders(string? libtorch)
    {
        if (libtorch is null) return [];
        string nvidia = Path.GetFullPath(Path.Combine(libtorch, "..", "..", "nvidia"));
        var wheels = Directory.Exists(nvidia)
            ? Directory.EnumerateDirectories(nvidia).Order(StringComparer.Ordinal).Take(MostFolders)
                .Select(folder => Path.Combine(folder, "lib"))
            : [];
        return wheels.Prepend(libtorch);
    }
}
