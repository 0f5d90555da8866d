using System.Net;
using System.Net.Sockets;

namespace Distill.Teacher.Remote.Network;

/// <summary>
/// Connections that reach one network scope only. The address is checked after the name was resolved and is the one connected to, so a name
/// that changes between check and use gains nothing.
/// </summary>
internal static class GuardedConnection
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30), ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Follows no redirect (one would carry the key and the problems to whoever the endpoint names), keeps no cookies, takes no proxy (the
    /// proxy would resolve the name, out of our sight).
    /// </summary>
    /// <returns>The caller disposes it.</returns>
    public static SocketsHttpHandler CreateHandler(NetworkScope scope) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionLifetime = ConnectionLifetime,
        MaxResponseHeadersLength = 64, // KiB
        ConnectCallback = async (context, cancellation) =>
            await ConnectAsync(scope, context.DnsEndPoint, cancellation).ConfigureAwait(false),
    };

    private static async ValueTask<Stream> ConnectAsync(NetworkScope scope, DnsEndPoint target, CancellationToken cancellation)
    {
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancellation).ConfigureAwait(false);
        var allowed = addresses.Where(address => AddressRule.Allows(scope, address)).ToArray();
        if (allowed.Length == 0) throw Refuse(scope, target.Host, addresses);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static RemoteTeacherException Refuse(NetworkScope scope, string host, IPAddress[] addresses)
    {
        string remedy = addresses.Length == 0 ? "it has no address" : EndpointRule.RemedyOf(addresses[0]);
        return new(
            RemoteFaultKind.ForbiddenAddress,
            $"{host} is not in the network '{EndpointRule.Word(scope)}' that the teacher may lie in; {remedy}.");
    }
}

/// <summary>Reads at most a number of bytes of another stream, then refuses. Leaves the other stream open.</summary>
internal sealed class BoundedStream(Stream inner, long limit) : Stream
{
    private long count;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Count(int read)
    {
        count += read;
        return count <= limit
            ? read
            : throw new RemoteTeacherException(RemoteFaultKind.TooLarge, $"The endpoint's answer is larger than {limit:N0} bytes.");
    }
}
