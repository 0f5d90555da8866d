using Distill.Libtorch;

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

/// <param name="Fault">Why libtorch does not load; null when it does.</param>
/// <param name="Version">Of libtorch, e.g. <c>2.11.0+cu130</c>; null when unknown.</param>
/// <param name="Folder">The one that DISTILL_LIBTORCH names; null for the build's own.</param>
/// <param name="IsForCuda">Whether it has the backend for CUDA.</param>
/// <param name="Cards">Those that it finds.</param>
internal sealed record TorchFacts(string? Fault, string? Version, string? Folder, bool IsForCuda, int Cards);
