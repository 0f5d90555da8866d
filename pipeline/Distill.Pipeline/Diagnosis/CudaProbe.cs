using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Libtorch;

namespace Distill.Pipeline.Diagnosis;

/// <summary>
/// Looks at this machine for what a GPU needs. Loads whatever of it is there, and libtorch only where there is a driver or it is asked for:
/// that alone may take seconds. What was found stands for the life of the process.
/// </summary>
internal static class CudaProbe
{
    private static readonly Lazy<CudaFacts> s_facts = new(() => Look(withTorch: false));
    private static readonly Lazy<CudaFacts> s_whole = new(() => Look(withTorch: true));

    /// <summary>This machine; libtorch only looked at where there is a card.</summary>
    public static CudaFacts Machine => s_facts.Value;

    /// <summary>This machine, libtorch loaded in any case.</summary>
    public static CudaFacts WholeMachine => s_whole.Value;

    private static CudaFacts Look(bool withTorch)
    {
        // Torch first: it must find its own backend before anything else of CUDA is in the process.
        var driver = CudaDriver.Look();
        var torchFacts = withTorch || driver.Cards.Count > 0 ? Torch() : new TorchFacts(null, null, null, TorchDevices.AreBuiltForCuda, 0);
        string? libtorch = CudaLibraries.LibtorchFolder();
        var missing = new Dictionary<string, string>();
        foreach (string name in CudaLibraries.Names)
        {
            if (!CudaLibraries.TryLoad(name, libtorch, out string reason)) missing.Add(name, reason);
        }

        bool hasProvider = HasProvider();
        bool isTried = hasProvider && missing.Count == 0 && driver is { Fault: null, Cards.Count: > 0 };
        return new()
        {
            Driver = driver,
            MissingLibraries = missing,
            HasProvider = hasProvider,
            ProviderFault = isTried ? CudaProvider.FaultOf(ComputeDevice.Cuda()) : null,
            Torch = torchFacts,
        };
    }

    private static bool HasProvider()
    {
        try
        {
            return RuntimeTelemetry.Runtime.GetAvailableProviders().Contains(CudaProvider.Name);
        }
        catch (Exception fault) when (LibraryCheck.IsNotLoaded(fault))
        {
            return false; // which the check of ONNX Runtime itself says
        }
    }

    private static TorchFacts Torch()
    {
        string? folder = CudaLibraries.LibtorchFolder();
        if (LibtorchLoading.Fault is { } fault) return new(fault, null, folder, TorchDevices.AreBuiltForCuda, 0);
        return new(null, LibtorchLoading.Version, folder, TorchDevices.AreBuiltForCuda, TorchDevices.Cards);
    }
}
