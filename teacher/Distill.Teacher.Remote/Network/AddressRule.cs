using System.Net;
using System.Net.Sockets;

namespace Distill.Teacher.Remote.Network;

/// <summary>
/// Which network an IP address belongs to, by the special-purpose registries of IANA (RFC 6890 and its updates). What is neither public,
/// private nor loopback (link-local with the clouds' metadata services, multicast, documentation, tunnels) is never allowed.
/// </summary>
public static class AddressRule
{
    private static readonly IPNetwork[] PrivateRanges = Parse("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7");

    private static readonly IPNetwork[] LoopbackRanges = Parse("127.0.0.0/8", "::1/128");

    private static readonly IPNetwork[] SpecialRanges = Parse(
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

    private static readonly IPNetwork PublicIPv6 = IPNetwork.Parse("2000::/3");

    // NAT64: the last 32 bits are an IPv4 address, and it is that one the packet reaches.
    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");

    public static bool Allows(NetworkScope scope, IPAddress address)
    {
        var plain = Plain(address);
        return scope switch
        {
            NetworkScope.Public => IsPublic(plain),
            NetworkScope.Loopback => Within(LoopbackRanges, plain),
            NetworkScope.Private => Within(LoopbackRanges, plain) || Within(PrivateRanges, plain),
            _ => throw new ArgumentOutOfRangeException(nameof(scope), scope, "Unknown scope."),
        };
    }

    private static bool IsPublic(IPAddress address) =>
        !Within(LoopbackRanges, address) && !Within(PrivateRanges, address) && !Within(SpecialRanges, address)
        && (address.AddressFamily == AddressFamily.InterNetwork || PublicIPv6.Contains(address));

    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && Translated.Contains(address)
            ? new IPAddress(address.GetAddressBytes().AsSpan(12))
            : address;
    }

    private static bool Within(IPNetwork[] ranges, IPAddress address) => ranges.Any(range => range.Contains(address));

    private static IPNetwork[] Parse(params string[] ranges) => [.. ranges.Select(IPNetwork.Parse)];
}
