using static TorchSharp.torch;

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
    private readonly Action enter;
    private Action<int> task = _ => { };
    private volatile bool ended;

    /// <param name="enter">Done first on each of the threads.</param>
    public ReplicaThreads(int count, Action enter)
    {
        this.enter = enter;
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
        enter();
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

/// <summary>
/// While any of these is alive libtorch splits no product among threads, because every replica is a thread of its own. The last one gives
/// back the number of threads that there was: what comes after a training in its process, as the parity gate does, sums in the order of
/// a process that did not train. Thread-safe; dispose it, once.
/// </summary>
internal sealed class UnsplitProducts : IDisposable
{
    private static readonly Lock s_gate = new();
    private static int s_alive, s_before;

    public UnsplitProducts()
    {
        lock (s_gate)
        {
            if (s_alive++ == 0) s_before = get_num_threads();
            set_num_threads(1);
        }
    }

    /// <summary>
    /// Called on every thread of a replica before its first product: how many threads a product is split among is a setting of each thread,
    /// and a new one begins with as many as there are processors, whatever was set elsewhere. Its first products would round as no later
    /// ones, and a training that is continued has other first products than one that was not interrupted.
    /// </summary>
    public static void Enter() => set_num_threads(1);

    public void Dispose()
    {
        lock (s_gate)
        {
            if (--s_alive == 0) set_num_threads(s_before);
        }
    }
}
