using System.Runtime.InteropServices;
using System.Text;
using Distill.Generation;

namespace Distill.Libtorch;

/// <summary>
/// NVIDIA's driver, asked through its own library (the CUDA driver API), which needs no toolkit and takes no device memory. Stateless.
/// </summary>
internal static unsafe class CudaDriver
{
    private const string ModuleFile = "/proc/driver/nvidia/version";
    private const int Success = 0, NoDevice = 100, MajorAttribute = 75, MinorAttribute = 76, MostCards = 64, LongestName = 256;

    public static CudaDriverFacts Look()
    {
        string? module = File.Exists(ModuleFile) ? ModuleVersion(File.ReadLines(ModuleFile).FirstOrDefault() ?? "") : null;
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : CudaLibraries.Driver, out nint library))
            return CudaDriverFacts.None($"{CudaLibraries.Driver} was not found", File.Exists(ModuleFile), module);
        try
        {
            return Ask(library, module);
        }
        catch (EntryPointNotFoundException fault)
        {
            return CudaDriverFacts.None($"{CudaLibraries.Driver} is no driver: {fault.Message}", File.Exists(ModuleFile), module);
        }
    }

    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul …", or "… Open Kernel Module for x86_64  580.65.06 …"
    internal static string? ModuleVersion(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(word => char.IsAsciiDigit(word[0]) && word.Contains('.'));

    private static CudaDriverFacts Ask(nint library, string? module)
    {
        var start = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(library, "cuInit");
        var versionOf = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDriverGetVersion");
        var countOf = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cuDeviceGetCount");
        int version = 0, count = 0;
        _ = versionOf(&version);
        int result = start(0);
        if (result is not Success and not NoDevice)
            return new($"cuInit gave error {result}", true, version, module, []);
        if (result == Success) _ = countOf(&count);
        var cards = Enumerable.Range(0, Math.Clamp(count, 0, MostCards)).Select(number => Card(library, number)).OfType<CudaCard>();
        return new(null, true, version, module, [.. cards]);
    }

    private static CudaCard? Card(nint library, int number)
    {
        var get = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(library, "cuDeviceGet");
        var nameOf = (delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(library, "cuDeviceGetName");
        var attributeOf = (delegate* unmanaged<int*, int, int, int>)NativeLibrary.GetExport(library, "cuDeviceGetAttribute");
        var memoryOf = (delegate* unmanaged<nuint*, int, int>)NativeLibrary.GetExport(library, "cuDeviceTotalMem_v2");
        int device = 0, major = 0, minor = 0;
        nuint memory = 0;
        byte* name = stackalloc byte[LongestName];
        if (get(&device, number) != Success || nameOf(name, LongestName, device) != Success
            || attributeOf(&major, MajorAttribute, device) != Success || attributeOf(&minor, MinorAttribute, device) != Success
            || memoryOf(&memory, device) != Success) return null;
        var text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        return new(number, Encoding.UTF8.GetString(text[..Math.Min(text.Length, LongestName)]), major, minor, (long)memory);
    }
}

/// <param name="Fault">Why the driver cannot be used, in a few words; null when it can.</param>
/// <param name="IsInstalled">Whether the system has NVIDIA's kernel module, whatever this process sees of it.</param>
/// <param name="Version">Newest CUDA that the driver serves, as it counts: 13000 is 13.0; 0 when unknown.</param>
/// <param name="Module">Version of the kernel module, e.g. <c>580.65.06</c>; null when unknown.</param>
internal sealed record CudaDriverFacts(
    string? Fault, bool IsInstalled, int Version, string? Module, IReadOnlyList<CudaCard> Cards)
{
    public static CudaDriverFacts None(string fault, bool isInstalled, string? module = null) => new(fault, isInstalled, 0, module, []);
}

/// <param name="Number">As CUDA counts them, from 0.</param>
/// <param name="Major">Of its compute capability.</param>
/// <param name="Minor">Of its compute capability.</param>
/// <param name="MemoryBytes">All of it, used or not.</param>
internal sealed record CudaCard(int Number, string Name, int Major, int Minor, long MemoryBytes)
{
    /// <summary>The first number of the compute capability from which on there is bf16.</summary>
    public const int BFloat16Major = 8;

    public string Capability => $"{Major}.{Minor}";

    public bool HasBFloat16 => IsAtLeast(BFloat16Major, 0);

    public bool IsAtLeast(int major, int minor) => (Major, Minor).CompareTo((major, minor)) >= 0;
}
