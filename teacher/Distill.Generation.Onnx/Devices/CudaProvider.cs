using System.Globalization;
using Distill.Storage;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>How ONNX Runtime's CUDA provider is used; what it leaves open the provider decides.</summary>
internal sealed record CudaOptions
{
    /// <summary>Most device memory that the session's arena takes, in bytes; null: as much as there is. Weights count.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// Whether the session's arena doubles when it has no room, instead of taking what is asked for: fewer allocations where shapes vary,
    /// and memory that torch needs beside it.
    /// </summary>
    public bool DoublesArena { get; init; }

    /// <summary>
    /// Products of fp32 matrices in TF32: faster, with 10 bits of mantissa. Off, because logits are compared with those of the processor.
    /// </summary>
    public bool AllowsTf32 { get; init; }

    /// <summary>
    /// Records the kernels of steps that come often, once, and repeats them: started one by one they take most of a small model's time. A
    /// graph that cannot be recorded is run as it is. While something is recorded, other uses of CUDA in the process fail, so it is for
    /// processes of ours alone.
    /// </summary>
    public bool CapturesGraphs { get; init; }
}

/// <summary>
/// The CUDA provider of a session. ONNX Runtime by itself goes on with the processor where the provider cannot be had; here that is a
/// fault.
/// </summary>
internal static class CudaProvider
{
    public const string Name = "CUDAExecutionProvider";

    /// <summary>Appends the provider, as the only one beside the processor's.</summary>
    /// <exception cref="DeviceUnavailableException">This build has no such provider, or it cannot be loaded; says why.</exception>
    public static void AddTo(SessionOptions session, ComputeDevice device, CudaOptions options)
    {
        if (!RuntimeTelemetry.Runtime.GetAvailableProviders().Contains(Name))
        {
            throw new DeviceUnavailableException($"{device} was asked for, and this build has ONNX Runtime for the CPU alone.",
                "Build with -p:Accelerator=cuda and -p:Torch=external or cuda (docs/cuda.md), or take the device cpu.");
        }

        CudaLibraries.LoadAll(CudaLibraries.LibtorchFolder());
        try
        {
            using var provider = new OrtCUDAProviderOptions();
            provider.UpdateOptions(ToProvider(device, options));
            session.AppendExecutionProvider_CUDA(provider);
        }
        catch (OnnxRuntimeException fault)
        {
            throw new DeviceUnavailableException(
                Printable.Of($"{device} was asked for, and ONNX Runtime's CUDA provider cannot be had: {Reason(fault.Message)}."),
                "'distill doctor' names everything that is missing; or take the device cpu.", fault);
        }
    }

    /// <summary>Why the provider cannot be had; null when it can.</summary>
    public static string? FaultOf(ComputeDevice device)
    {
        _ = RuntimeTelemetry.Runtime; // options load the library
        using var session = new SessionOptions();
        try
        {
            AddTo(session, device, new());
            return null;
        }
        catch (DeviceUnavailableException fault)
        {
            return fault.InnerException is { } cause ? Reason(cause.Message) : fault.Message;
        }
    }

    internal static Dictionary<string, string> ToProvider(ComputeDevice device, CudaOptions options)
    {
        var provider = new Dictionary<string, string>
        {
            ["device_id"] = Number(device.Card),
            ["arena_extend_strategy"] = options.DoublesArena ? "kNextPowerOfTwo" : "kSameAsRequested",
            // A libcudnn that libtorch brought along may be for another CUDA; decoders need none.
            ["enable_cudnn"] = "0",
            ["use_tf32"] = options.AllowsTf32 ? "1" : "0",
            ["enable_cuda_graph"] = options.CapturesGraphs ? "1" : "0",
        };
        if (options.MemoryLimit is { } limit) provider["gpu_mem_limit"] = Number(limit);
        return provider;
    }

    // "… Failed to load library /app/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: …"
    internal static string Reason(string message)
    {
        const string Mark = "with error: ";
        string line = message.Split('\n')[0].TrimEnd();
        int at = line.IndexOf(Mark, StringComparison.Ordinal);
        return (at < 0 ? line : line[(at + Mark.Length)..]).TrimEnd('.');
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
