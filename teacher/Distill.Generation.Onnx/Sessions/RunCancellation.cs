using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// The run options of one session, through which another thread ends its run. <see cref="Cancel"/> is safe from any thread at any
/// time, also while and after the owner disposes this.
/// </summary>
internal sealed class RunCancellation : IDisposable
{
    private readonly Lock gate = new();
    private bool disposed;

    /// <summary>For runs of the session's own thread; <see cref="RunOptions.Terminate"/> stays set once it is.</summary>
    public RunOptions Options { get; } = new();

    public void Cancel()
    {
        lock (gate)
        {
            // Options freed by the owner must not be written: the flag lies in native memory.
            if (!disposed) Options.Terminate = true;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            Options.Dispose();
        }
    }
}
