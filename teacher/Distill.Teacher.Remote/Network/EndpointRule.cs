using System.Net;

namespace Distill.Teacher.Remote.Network;

/// <param name="ShowsValue">False where the address may hold a secret and must not be repeated.</param>
public sealed record EndpointFault(string Fault, string Remedy, bool ShowsValue = true);

/// <summary>Which addresses may be endpoints, as far as the text of the address tells.</summary>
public static class EndpointRule
{
    /// <summary>Everything wrong with an address; empty when it can be used. Nothing is resolved or connected.</summary>
    public static IReadOnlyList<EndpointFault> Faults(string address, NetworkScope scope)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
            return [new("not a web address", "write one such as https://api.example.com/v1", ShowsValue: !address.Contains('@', StringComparison.Ordinal))];
        var faults = new List<EndpointFault>();
        if (uri.UserInfo.Length > 0) faults.Add(new("holds a name or a password (not shown)", "take it out and name an environment variable in api_key_env", ShowsValue: false));
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
            faults.Add(new("holds a query or a fragment (not shown, it may be a key)", "end it with the path, such as /v1", ShowsValue: false));
        if (uri.Scheme == "http" && scope == NetworkScope.Public)
            faults.Add(new("http would send the key and the problems in the clear", "write https, or network: loopback or private where the endpoint lies there"));
        if (KnownAddress(uri) is { } known && !AddressRule.Allows(scope, known)) faults.Add(new($"{uri.Host} is not in the network '{Word(scope)}'", RemedyOf(known)));
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
    internal static string RemedyOf(IPAddress address) => Enum.GetValues<NetworkScope>().Where(scope => AddressRule.Allows(scope, address)).ToArray() switch
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
