using System.Net;

namespace Distill.Cli.Parsing;

/// <summary>The <c>--host</c> of a command that answers requests.</summary>
internal static class ListenAddress
{
    /// <exception cref="UsageException">It is no address.</exception>
    public static IPAddress Read(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return IPAddress.Loopback;
        return IPAddress.TryParse(host, out var address) ? address
            : throw new UsageException(
                $"--host '{host}' is not an address.", "Give localhost, an IP address of this machine, or 0.0.0.0 for all of them.");
    }
}
