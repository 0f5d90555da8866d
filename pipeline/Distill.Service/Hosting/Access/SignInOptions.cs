using System.Net;

namespace Distill.Service.Hosting.Access;

/// <summary>What a claim of somebody who signed in lets him do.</summary>
/// <param name="Claim">Name of the claim, e.g. <c>groups</c>; of one with several values, any counts.</param>
internal sealed record ClaimRole(string Claim, string Value, bool MayAct)
{
    /// <param name="text"><c>CLAIM=VALUE</c>.</param>
    /// <returns>Null for another text.</returns>
    public static ClaimRole? Parse(string text, bool mayAct) =>
        text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && at < text.Length - 1
            ? new(text[..at], text[(at + 1)..], mayAct) : null;
}

/// <summary>An OpenID Connect provider that says who somebody is. Whoever has none of the roles' claims does not get in.</summary>
/// <param name="Authority">The provider's address; its configuration is at <c>/.well-known/openid-configuration</c> below it.</param>
/// <param name="Secret">Of the client; null for a public one, which proves itself by PKCE alone.</param>
internal sealed record SignInOptions(Uri Authority, string ClientId, string? Secret, IReadOnlyList<ClaimRole> Roles)
{
    /// <summary>Asked for besides <c>openid</c>.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = ["profile"];

    public bool IsOnThisMachine => Authority.IsLoopback;

    public IEnumerable<string> Problems()
    {
        if (Authority.Scheme != "https" && !(Authority.Scheme == "http" && IsOnThisMachine))
            yield return $"{Authority} would be asked who somebody is without TLS";
        if (ClientId.Length == 0) yield return "the client id is empty";
        if (Roles.Count == 0) yield return "no claim lets anybody in";
    }
}

/// <summary>Files with the service's own certificate and key.</summary>
/// <param name="Path">PEM, the whole chain, or PFX.</param>
/// <param name="KeyPath">PEM; null where the certificate's file holds the key.</param>
/// <param name="Password">Of the key; null where it has none.</param>
internal sealed record CertificateOptions(string Path, string? KeyPath, string? Password);

/// <summary>Addresses whose forwarded headers are believed.</summary>
internal static class ProxyNetwork
{
    /// <param name="text">An address, or a network such as <c>10.0.0.0/8</c>.</param>
    public static IPNetwork? Parse(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        return IPAddress.TryParse(text, out var address)
            ? new IPNetwork(address, address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128) : null;
    }
}
