namespace Distill.Pipeline.Diagnosis;

/// <summary>
/// What was found of everything that a GPU needs: facts alone, so that every broken set-up can be told without having it.
/// </summary>
internal sealed record CudaFacts
{
    public required CudaDriverFacts Driver { get; init; }

    /// <summary>Libraries that ONNX Runtime's provider needs and that are not there, each with the reason.</summary>
    public required IReadOnlyDictionary<string, string> MissingLibraries { get; init; }

    /// <summary>Whether this build has ONNX Runtime's CUDA provider.</summary>
    public required bool HasProvider { get; init; }

    /// <summary>
    /// Why the provider does not load; null when it does, or when that was not tried because something before it is missing.
    /// </summary>
    public string? ProviderFault { get; init; }

    public required TorchFacts Torch { get; init; }
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

/// <param name="Fault">Why libtorch does not load; null when it does.</param>
/// <param name="Version">Of libtorch, e.g. <c>2.11.0+cu130</c>; null when unknown.</param>
/// <param name="Folder">The one that DISTILL_LIBTORCH names; null for the build's own.</param>
/// <param name="IsForCuda">Whether it has the backend for CUDA.</param>
/// <param name="Cards">Those that it finds.</param>
internal sealed record TorchFacts(string? Fault, string? Version, string? Folder, bool IsForCuda, int Cards);
