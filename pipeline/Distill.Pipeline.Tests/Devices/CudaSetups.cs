using Distill.Generation;
using Distill.Libtorch;
using Distill.Pipeline.Diagnosis;

namespace Distill.Pipeline.Tests.Devices;

/// <summary>Machines with a card as they should be and as they are found, without having one.</summary>
internal static class CudaSetups
{
    private const long Gibi = 1L << 30;

    public static CudaCard Hopper { get; } = new(0, "NVIDIA H100 80GB HBM3", 9, 0, 80 * Gibi);

    public static CudaCard Volta { get; } = new(0, "Tesla V100-SXM2-16GB", 7, 0, 16 * Gibi);

    public static CudaCard Turing { get; } = new(0, "Tesla T4", 7, 5, 15 * Gibi);

    /// <summary>Nothing is missing.</summary>
    public static CudaFacts Whole { get; } = new()
    {
        Driver = new(null, true, 13000, "580.65.06", [Hopper]),
        MissingLibraries = new Dictionary<string, string>(),
        HasProvider = true,
        Torch = new(null, "2.10.0+cu130", "/opt/torch/lib", true, 1),
    };

    /// <summary>No driver, and a build for the processor.</summary>
    public static CudaFacts Plain { get; } = new()
    {
        Driver = CudaDriverFacts.None("libcuda.so.1 was not found", isInstalled: false),
        MissingLibraries = CudaLibraries.Names.ToDictionary(name => name, _ => "not found"),
        HasProvider = false,
        Torch = new(null, "2.10.0.0", null, false, 0),
    };

    /// <summary>A set-up, the finding that must name it, and a word of its remedy.</summary>
    public static IReadOnlyDictionary<string, (CudaFacts Facts, string Finding, string Found, string Remedy)> Broken { get; } =
        new Dictionary<string, (CudaFacts, string, string, string)>
        {
            ["no driver"] = (
                Whole with { Driver = Plain.Driver, Torch = Whole.Torch with { Cards = 0 } }, "cuda-driver", "no driver", "580"),
            ["a container without the driver's library"] = (
                Whole with { Driver = CudaDriverFacts.None("libcuda.so.1 was not found", true, "580.65.06") },
                "cuda-driver", "580.65.06", "--gpus all"),
            ["library and module of two versions"] = (
                Whole with { Driver = new("cuInit gave error 803", true, 13000, "575.57", []) }, "cuda-driver", "803", "restart"),
            ["an old driver"] = (
                Whole with { Driver = Whole.Driver with { Version = 12080, Module = "570.86" } }, "cuda-driver", "CUDA 12.8", "580"),
            ["no card to be seen"] = (
                Whole with { Driver = Whole.Driver with { Cards = [] }, Torch = Whole.Torch with { Cards = 0 } },
                "cuda-card", "no card", "CUDA_VISIBLE_DEVICES"),
            ["an old card"] = (Whole with { Driver = Whole.Driver with { Cards = [Volta] } }, "cuda:0", "7.0", "Take another card"),
            ["no cudart"] = (Without("libcudart.so.13"), "libcudart.so.13", "not found", "cuda-cudart-13"),
            ["no cublas"] = (Without("libcublas.so.13"), "libcublas.so.13", "not found", "libcublas-13"),
            ["no cublasLt"] = (Without("libcublasLt.so.13"), "libcublasLt.so.13", "not found", "DISTILL_LIBTORCH"),
            ["no curand"] = (Without("libcurand.so.10"), "libcurand.so.10", "not found", "libcurand-13"),
            ["a build for the processor"] = (Whole with { HasProvider = false }, "cuda-onnxruntime", "CPU alone",
                "-p:Accelerator=cuda and -p:Torch="),
            ["a provider that does not load"] = (
                Whole with { ProviderFault = "undefined symbol: cublasFoo" }, "cuda-onnxruntime", "cublasFoo", "names the library"),
            ["a libtorch that does not load"] = (
                Whole with { Torch = new("DISTILL_LIBTORCH: '/x' is no folder", null, "/x", false, 0) }, "cuda-torch", "/x", "See torch"),
            ["libtorch for the processor"] = (
                Whole with { Torch = new(null, "2.10.0.0", null, false, 0) }, "cuda-torch", "this build", "-p:Torch=external"),
            ["a PyTorch for the processor"] = (
                Whole with { Torch = new(null, "2.10.0+cpu", "/opt/torch/lib", false, 0) }, "cuda-torch", "/opt/torch/lib", "for CUDA"),
            ["a libtorch that finds no card"] = (
                Whole with { Torch = Whole.Torch with { Version = "2.11.0+cu131", Cards = 0 } },
                "cuda-torch", "2.11.0+cu131", "newer than"),
        };

    private static CudaFacts Without(string library) =>
        Whole with { MissingLibraries = new Dictionary<string, string> { [library] = "not found" } };
}
