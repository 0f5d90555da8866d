using Distill.Serving.Protocol;

namespace Distill.Serving.Http;

/// <summary>How many requests there may be at once. Thread-safe.</summary>
internal sealed class RequestGate(int most)
{
    private int inside;

    public int Most => most;

    public int Inside => Volatile.Read(ref inside);

    /// <returns>Dispose it when the request is over.</returns>
    /// <exception cref="ApiException">As many are inside as may be.</exception>
    public IDisposable Enter()
    {
        if (Interlocked.Increment(ref inside) <= most) return new Place(this);
        Interlocked.Decrement(ref inside);
        throw ApiException.Busy();
    }

    private sealed class Place(RequestGate gate) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) Interlocked.Decrement(ref gate.inside);
        }
    }
}
