using System.Net;
using System.Net.Sockets;

namespace Distill.Teacher.Remote.Network;

/// <param name="ShowsValue">False where the address may hold a secret and must not be repeated.</param>
internal sealed record EndpointFault(string Fault, string Remedy, bool ShowsValue = true);

/// <summary>Which addresses may be endpoints, as far as the text of the address tells.</summary>
internal static class EndpointRule
{
    /// <summary>Everything wrong with an address; empty when it can be used. Nothing is resolved or connected.</summary>
    public static IReadOnlyList<EndpointFault> Faults(string address, NetworkScope scope)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
        {
            bool holdsName = address.Contains('@', StringComparison.Ordinal);
            return [new("not a web address", "write one such as https://api.example.com/v1", ShowsValue: !holdsName)];
        }

        var faults = new List<EndpointFault>();
        if (uri.UserInfo.Length > 0)
        {
            faults.Add(new("holds a name or a password (not shown)",
                "take it out and name an environment variable in api_key_env", ShowsValue: false));
        }

        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            faults.Add(new("holds a query or a fragment (not shown, it may be a key)",
                "end it with the path, such as /v1", ShowsValue: false));
        }

        if (uri.Scheme == "http" && scope == NetworkScope.Public)
        {
            faults.Add(new("http would send the key and the problems in the clear",
                "write https, or network: loopback or private where the endpoint lies there"));
        }

        if (KnownAddress(uri) is { } known && !AddressRule.Allows(scope, known))
            faults.Add(new($"{uri.Host} is not in the network '{Word(scope)}'", RemedyOf(known)));
        bool showsValue = faults.All(fault => fault.ShowsValue); // what one of them hides, the others must not show
        return [.. faults.Select(fault => fault with { ShowsValue = showsValue })];
    }

    /// <summary>How a recipe spells a scope.</summary>
    public static string Word(NetworkScope scope) => scope switch
    {
        NetworkScope.Public => "public",
        NetworkScope.Loopback => "loopback",
        NetworkScope.Private => "private",
        _ => throw new ArgumentOutOfRangeException(nameof(scope), scope, "Unknown scope."),
    };

    /// <summary>What to write for an endpoint at this address.</summary>
    internal static string RemedyOf(IPAddress address) =>
        Enum.GetValues<NetworkScope>().Where(scope => AddressRule.Allows(scope, address)).ToArray() switch
    {
        [] => "no endpoint may lie there; give another address",
        [var scope, ..] => $"if it is meant to be there, write network: {Word(scope)}",
    };

    private static IPAddress? KnownAddress(Uri uri)
    {
        if (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address)) return address;
        bool isThisMachine = uri.Host == "localhost" || uri.Host.EndsWith(".localhost", StringComparison.Ordinal);
        return isThisMachine ? IPAddress.Loopback : null;
    }
}

/// <summary>Where an endpoint may lie. It lies in exactly one of these; anything else is refused when the connection is made.</summary>
public enum NetworkScope
{
    /// <summary>The Internet; https only. The default.</summary>
    Public,

    /// <summary>This machine; http is allowed.</summary>
    Loopback,

    /// <summary>A private network (RFC 1918, RFC 6598, fc00::/7) or this machine; http is allowed.</summary>
    Private,
}

/// <summary>
/// Which network an IP address belongs to, by the special-purpose registries of IANA (RFC 6890 and its updates). What is neither public,
/// private nor loopback (link-local with the clouds' metadata services, multicast, documentation, tunnels) is never allowed.
/// </summary>
internal static class AddressRule
{
    private static readonly IPNetwork[] PrivateRanges = Parse("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7");

    private static readonly IPNetwork[] LoopbackRanges = Parse("127.0.0.0/8", "::1/128");

    private static readonly IPNetwork[] SpecialRanges = Parse(
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24",
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
