namespace Distill.Student.Fused;

/// <summary>
/// Dedicated threads, one per replica, that run one task each and wait for one another. Native pools and dispose scopes are
/// per thread, so work never moves to another. Dispose ends the threads.
/// </summary>
internal sealed class ReplicaThreads : IDisposable
{
    private readonly Thread[] threads;
    private readonly SemaphoreSlim[] begin;
    private readonly Exception?[] faults;
    private readonly CountdownEvent done;
    private Action<int> task = _ => { };
    private volatile bool ended;

    public ReplicaThreads(int count)
    {
        begin = [.. Enumerable.Range(0, count).Select(_ => new SemaphoreSlim(0))];
        faults = new Exception?[count];
        done = new CountdownEvent(count);
        threads = [.. Enumerable.Range(0, count)
            .Select(index => new Thread(() => Loop(index)) { IsBackground = true, Name = $"training {index}" })];
        foreach (var thread in threads) thread.Start();
    }

    /// <summary>Runs <paramref name="work"/> once per replica and returns when all are done.</summary>
    /// <exception cref="AggregateException">What the replicas threw.</exception>
    public void Run(Action<int> work)
    {
        task = work;
        Array.Clear(faults);
        done.Reset();
        foreach (var semaphore in begin) semaphore.Release();
        done.Wait();
        var thrown = faults.OfType<Exception>().ToArray();
        if (thrown.Length > 0) throw new AggregateException(thrown);
    }

    public void Dispose()
    {
        ended = true;
        foreach (var semaphore in begin) semaphore.Release();
        foreach (var thread in threads) thread.Join();
        foreach (var semaphore in begin) semaphore.Dispose();
        done.Dispose();
    }

    private void Loop(int index)
    {
        while (true)
        {
            begin[index].Wait();
            if (ended) return;
            try
            {
                task(index);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                faults[index] = fault; // rethrown by Run on the caller's thread
            }
            finally
            {
                done.Signal();
            }
        }
    }
}
