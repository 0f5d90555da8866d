using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Distill.Pipeline.Tests.Faults;

/// <summary>
/// An address that stays while what answers behind it changes, as that of a database cluster does. Connections can be cut.
/// Thread-safe.
/// </summary>
internal sealed class TcpRelay : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, bool> open = new();

    public TcpRelay(int target)
    {
        Target = target;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The port on this machine to which new connections go.</summary>
    public int Target { get; set; }

    /// <summary>Ends every connection there is.</summary>
    public void Cut()
    {
        foreach (var client in open.Keys)
        {
            if (open.TryRemove(client, out _)) client.Dispose();
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        var server = new TcpClient();
        open[client] = open[server] = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, Target);
            await Task.WhenAny(
                client.GetStream().CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(client.GetStream()));
        }
        catch (Exception fault) when (fault is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Nobody answers, or it was cut.
        }
        finally
        {
            foreach (var end in (TcpClient[])[client, server])
            {
                open.TryRemove(end, out _);
                end.Dispose();
            }
        }
    }
}
