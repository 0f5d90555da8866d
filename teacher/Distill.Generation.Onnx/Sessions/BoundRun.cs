using Distill.Storage;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// Inputs and outputs bound once and run many times: a step then costs one native call and no allocation. Owns the values bound.
/// </summary>
internal sealed class BoundRun(OnnxTokenModel model) : IDisposable
{
    private readonly OrtIoBinding binding = model.Session.CreateIoBinding();
    private readonly Dictionary<string, OrtValue> values = [];

    /// <summary>Binds, replacing what was bound to the name.</summary>
    public void Input(string name, OrtValue value)
    {
        binding.BindInput(name, value);
        Keep("i" + name, value);
    }

    /// <summary>Binds a value that stays the caller's and outlives this.</summary>
    public void Borrow(string name, OrtValue value) => binding.BindInput(name, value);

    /// <inheritdoc cref="Input"/>
    public void Output(string name, OrtValue value)
    {
        binding.BindOutput(name, value);
        Keep("o" + name, value);
    }

    /// <exception cref="OperationCanceledException">The options say to terminate.</exception>
    /// <exception cref="InvalidDataException">
    /// The graph was loaded but cannot be run: a graph's kernels check more than its types say.
    /// </exception>
    public void Run(RunOptions options)
    {
        try
        {
            model.Session.RunWithBinding(options, binding);
        }
        catch (OnnxRuntimeException) when (options.Terminate)
        {
            throw new OperationCanceledException("Generation was cancelled within a step.");
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException(Printable.Of($"{model.Source}: ONNX Runtime cannot run it: {e.Message}"), e);
        }
    }

    /// <summary>Waits until the outputs of the last run are written, where the device works on after the call.</summary>
    public void SynchronizeOutputs() => binding.SynchronizeBoundOutputs();

    public void Dispose()
    {
        binding.Dispose();
        foreach (OrtValue value in values.Values.Distinct()) value.Dispose();
    }

    private void Keep(string key, OrtValue value)
    {
        if (values.Remove(key, out OrtValue? previous) && previous != value) previous.Dispose();
        values.Add(key, value);
    }
}

/// <summary>
/// The run options of one session, through which another thread ends its run. <see cref="Cancel"/> is safe from any thread at any
/// time, also while and after the owner disposes this.
/// </summary>
internal sealed class RunCancellation : IDisposable
{
    private readonly Lock gate = new();
    private readonly List<RunOptions> more = [];
    private volatile bool cancelled;
    private bool disposed;

    /// <summary>For runs of the session's own thread; <see cref="RunOptions.Terminate"/> stays set once it is.</summary>
    public RunOptions Options { get; } = new();

    /// <summary>Options for runs that need an entry of their own.</summary>
    public RunOptions With(string key, string value)
    {
        var options = new RunOptions();
        options.AddRunConfigEntry(key, value);
        lock (gate)
        {
            more.Add(options);
            options.Terminate = cancelled;
        }

        return options;
    }

    public void Cancel()
    {
        cancelled = true;
        lock (gate)
        {
            // Options freed by the owner must not be written: the flag lies in native memory.
            if (disposed) return;
            Options.Terminate = true;
            foreach (var options in more) options.Terminate = true;
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
            foreach (var options in more) options.Dispose();
        }
    }
}
