using Distill.Generation.Onnx;
using Distill.Libtorch;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Memory;

/// <summary>
/// A device whose memory libtorch owns and ONNX Runtime reads and writes by pointer. The two compute on streams of their own on a GPU, and
/// neither waits for the other: this is the one place that makes them. On the CPU both have finished when they return. The creator disposes
/// it, after everything that was bound.
/// </summary>
internal sealed class SharedDevice : IDisposable
{
    /// <exception cref="DllNotFoundException">libtorch cannot be loaded.</exception>
    /// <exception cref="DeviceUnavailableException">It is a card that libtorch does not find.</exception>
    public SharedDevice(ComputeDevice device)
    {
        Compute = device;
        Device = device.ToTorch();
        _ = RuntimeTelemetry.Runtime; // what follows loads the library
        Memory = device.IsCuda
            ? new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, device.Card, OrtMemType.Default)
            : OrtMemoryInfo.DefaultInstance;
    }

    public ComputeDevice Compute { get; }

    /// <summary>As libtorch names it.</summary>
    public Device Device { get; }

    /// <summary>As ONNX Runtime names it.</summary>
    public OrtMemoryInfo Memory { get; }

    /// <summary>Waits until libtorch has written what the next run will read, and read what it will overwrite.</summary>
    public void BeforeRun()
    {
        if (Compute.IsCuda) cuda.synchronize(Device);
    }

    /// <summary>Waits until a run has written what libtorch will read.</summary>
    public void AfterRun(BoundRun run)
    {
        if (Compute.IsCuda) run.SynchronizeOutputs();
    }

    public void Dispose()
    {
        if (Compute.IsCuda) Memory.Dispose();
    }
}
