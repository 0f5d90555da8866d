using System.Globalization;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Memory;

/// <summary>
/// A device whose memory libtorch owns and ONNX Runtime reads and writes by pointer. The two compute on streams of their own on a GPU, and
/// neither waits for the other: this is the one place that makes them. On the CPU both have finished when they return. The creator disposes
/// it, after everything that was bound.
/// </summary>
internal sealed class SharedDevice : IDisposable
{
    private readonly bool ownsMemory;

    /// <param name="name"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="ArgumentException">Another name.</exception>
    public SharedDevice(string name)
    {
        string[] parts = name.Split(':');
        int index = 0;
        bool known = parts is ["cpu"] or ["cuda"]
            || (parts is ["cuda", var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out index));
        if (!known) throw new ArgumentException($"'{name}' is not a device to decode on: cpu, cuda or cuda:N.", nameof(name));
        Name = name;
        OnGpu = parts[0] == "cuda";
        Device = OnGpu ? new Device(DeviceType.CUDA, index) : CPU;
        ownsMemory = OnGpu;
        Memory = OnGpu
            ? new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, index, OrtMemType.Default)
            : OrtMemoryInfo.DefaultInstance;
    }

    public string Name { get; }

    public bool OnGpu { get; }

    /// <summary>As libtorch names it.</summary>
    public Device Device { get; }

    /// <summary>As ONNX Runtime names it.</summary>
    public OrtMemoryInfo Memory { get; }

    /// <summary>Waits until libtorch has written what the next run will read, and read what it will overwrite.</summary>
    public void BeforeRun()
    {
        if (OnGpu) cuda.synchronize(Device);
    }

    /// <summary>Waits until a run has written what libtorch will read.</summary>
    public void AfterRun(BoundRun run)
    {
        if (OnGpu) run.SynchronizeOutputs();
    }

    public void Dispose()
    {
        if (ownsMemory) Memory.Dispose();
    }
}
