using System.Net;
using System.Security.Cryptography;
using System.Text;
using Distill.Serving.Protocol;
using Microsoft.AspNetCore.Http;

namespace Distill.Serving.Http;

/// <summary>
/// Who may ask. On loopback a web page could have a browser ask in its name: the Host header must name this machine (else a page whose
/// name was re-pointed here gets through), and bodies must be declared as JSON, which browsers do not let pages send elsewhere unasked.
/// </summary>
internal sealed class AccessRules(IPAddress address, string? apiKey)
{
    private const string Scheme = "Bearer ";
    private readonly byte[]? keyDigest = apiKey is null ? null : Digest(apiKey);
    private readonly bool checksHost = IPAddress.IsLoopback(address);

    /// <exception cref="ApiException">The Host header names another machine.</exception>
    public void RequireHost(HttpRequest request)
    {
        string host = request.Host.Host.Trim('[', ']');
        bool own = string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named));
        if (checksHost && !own)
            throw new ApiException(
                403, "permission_error", "This server answers to localhost only; the Host header names another machine.");
    }

    /// <exception cref="ApiException">The key is absent or wrong.</exception>
    public void RequireKey(HttpRequest request)
    {
        if (keyDigest is null) return;
        string given = request.Headers.Authorization.ToString();
        bool bearer = given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
        // Digests of equal length, compared in constant time: how long it takes tells nothing of the key.
        if (!CryptographicOperations.FixedTimeEquals(keyDigest, Digest(bearer ? given[Scheme.Length..].Trim() : "")))
            throw new ApiException(
                401, "authentication_error", "A valid API key is needed: send it as 'Authorization: Bearer KEY'.", code: "invalid_api_key");
    }

    /// <exception cref="ApiException">The body is not declared as JSON.</exception>
    public static void RequireJson(HttpRequest request)
    {
        if (!request.HasJsonContentType())
            throw new ApiException(415, "invalid_request_error", "Send the body with 'Content-Type: application/json'.");
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}

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
