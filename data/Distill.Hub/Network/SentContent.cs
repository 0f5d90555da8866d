using System.Net;

namespace Distill.Hub.Network;

/// <summary>Cancels when nothing happens for too long, or when the caller does. Dispose it.</summary>
internal sealed class StallWatch : IDisposable
{
    private readonly TimeSpan time;
    private readonly CancellationTokenSource timer, either;

    public StallWatch(TimeSpan time, TimeProvider clock, CancellationToken cancellation)
    {
        this.time = time;
        timer = new CancellationTokenSource(time, clock);
        either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellation);
    }

    public CancellationToken Token => either.Token;

    /// <summary>Something happened: the time begins anew.</summary>
    public void Renew() => timer.CancelAfter(time);

    public void Dispose()
    {
        either.Dispose();
        timer.Dispose();
    }
}

/// <summary>The body of a request, piece by piece, so that a connection which stands still is noticed and no file lies in memory.</summary>
/// <param name="length">In bytes, known beforehand: storage services take no chunks.</param>
/// <param name="pieces">Writes it to the stream it gets; called once.</param>
internal sealed class SentContent(long length, Func<Stream, CancellationToken, Task> pieces) : HttpContent
{
    /// <summary>Renewed with every piece; set by the connection.</summary>
    public StallWatch? Watch { get; set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var watched = new WatchedStream(stream, () => Watch?.Renew());
        await pieces(watched, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length;
        return true;
    }

    /// <summary>Tells of every write; leaves the other stream open.</summary>
    private sealed class WatchedStream(Stream inner, Action written) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            written();
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
