using Microsoft.ML.OnnxRuntimeGenAI;

namespace Distill.Generation.GenAI;

/// <summary>
/// Ends the runs of a session's generators from another thread. <see cref="Cancel"/> is safe from any thread at any time; the other
/// members belong to the session's own thread.
/// </summary>
internal sealed class GenAICancellation
{
    private readonly Lock gate = new();
    private readonly List<Generator> watched = [];
    private volatile bool cancelled;

    /// <summary>From now on the generator's runs end soon when the session is cancelled, and fail at once when it was.</summary>
    public void Watch(Generator generator)
    {
        lock (gate)
        {
            watched.Add(generator);
            if (cancelled) Terminate(generator);
        }
    }

    /// <summary>Before it is disposed: a generator that is gone must not be told anything.</summary>
    public void Forget(Generator generator)
    {
        lock (gate) watched.Remove(generator);
    }

    public void Cancel()
    {
        cancelled = true;
        lock (gate) watched.ForEach(Terminate);
    }

    /// <exception cref="OperationCanceledException"><see cref="Cancel"/> was called.</exception>
    public void ThrowIfCancelled()
    {
        if (cancelled) throw new OperationCanceledException("Generation was cancelled.");
    }

    private static void Terminate(Generator generator) => generator.SetRuntimeOption("terminate_session", "1");
}
