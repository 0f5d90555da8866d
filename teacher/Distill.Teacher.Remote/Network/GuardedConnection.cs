using System.Net;
using System.Net.Sockets;

namespace Distill.Teacher.Remote.Network;

/// <summary>
/// Connections that reach one network scope only. The address is checked after the name was resolved and is the one connected to, so a name
/// that changes between check and use gains nothing.
/// </summary>
public static class GuardedConnection
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30), ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Follows no redirect (one would carry the key and the problems to whoever the endpoint names), keeps no cookies, takes no proxy (the proxy
    /// would resolve the name, out of our sight).
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
        ConnectCallback = async (context, cancellation) => await ConnectAsync(scope, context.DnsEndPoint, cancellation).ConfigureAwait(false),
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
        return new(RemoteFaultKind.ForbiddenAddress, $"{host} is not in the network '{EndpointRule.Word(scope)}' that the teacher may lie in; {remedy}.");
    }
}
