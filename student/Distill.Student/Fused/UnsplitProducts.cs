using static TorchSharp.torch;

namespace Distill.Student.Fused;

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

    public void Dispose()
    {
        lock (s_gate)
        {
            if (--s_alive == 0) set_num_threads(s_before);
        }
    }
}
