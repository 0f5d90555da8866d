using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// The run options of one session, through which another thread ends its run. <see cref="Cancel"/> is safe from any thread at any
/// time, also while and after the owner disposes this.
/// </summary>
internal sealed class RunCancellation : IDisposable
{
    private readonly Lock gate = new();
    private volatile bool cancelled;
    private bool disposed;

    /// <summary>For runs of the session's own thread; <see cref="RunOptions.Terminate"/> stays set once it is.</summary>
    public RunOptions Options { get; } = new();

    public void Cancel()
    {
        cancelled = true;
        lock (gate)
        {
            // Options freed by the owner must not be written: the flag lies in native memory.
            if (!disposed) Options.Terminate = true;
        }
    }

    /// <exception cref="OperationCanceledException"><see cref="Cancel"/> was called.</exception>
    public void ThrowIfCancelled()
    {
        if (cancelled) throw new OperationCanceledException("Generation was cancelled.");
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
