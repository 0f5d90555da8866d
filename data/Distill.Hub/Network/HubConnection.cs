using System.Net;
using System.Net.Http.Headers;

namespace Distill.Hub.Network;

/// <summary>
/// Requests to the Hub and to where it sends us. The token goes to the Hub's own origin (scheme, host and port) and nowhere else, whatever
/// a redirect, a link or an upload action says. Thread-safe; dispose it after the last answer.
/// </summary>
internal sealed class HubConnection : IDisposable
{
    private const int MostRedirects = 10;

    // A commit of many files is answered when it is made.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(10);

    private const string PublicHub = "https://huggingface.co";

    private readonly HubOptions options;
    private readonly TimeProvider clock;
    private readonly HttpMessageInvoker client;

    public HubConnection(HubOptions options, TimeProvider clock)
    {
        if (options is { Token: not null, Endpoint: { Scheme: "http", IsLoopback: false } })
        {
            throw new HubException(HubFault.Refused, $"{options.Endpoint} is http: a token would travel in the clear. "
                + "Write https in HF_ENDPOINT, or take HF_TOKEN away (HF_HUB_DISABLE_IMPLICIT_TOKEN=1 for the token's file).");
        }

        (this.options, this.clock) = (options, clock);
        client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // it would not ask whom the token is for
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.StallTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 64, // KiB
            MaxConnectionsPerServer = Math.Max(2, options.Concurrency * 2),
        });
    }

    /// <summary>An address of the Hub's.</summary>
    /// <param name="path">Escaped, beginning with a slash.</param>
    public Uri At(string path) => new(options.Endpoint.AbsoluteUri.TrimEnd('/') + path);

    /// <summary>
    /// An address that the Hub named. Mirrors repeat what the public Hub says of itself; it means the mirror then, as for huggingface_hub.
    /// </summary>
    /// <exception cref="HubException">It is no address, or less safe than the Hub's own.</exception>
    public Uri Named(string address, Uri by)
    {
        string own = options.Endpoint.AbsoluteUri.TrimEnd('/');
        if (address.StartsWith(PublicHub + "/", StringComparison.Ordinal)) address = own + address[PublicHub.Length..];
        bool isSafe = Uri.TryCreate(by, address, out var named) && named.UserInfo.Length == 0
            && (named.Scheme == "https" || (named.Scheme == "http" && options.Endpoint.Scheme == "http"));
        return isSafe ? named!
            : throw new HubException(HubFault.BadAnswer, $"{by.Host} names an address that is none, or less safe than the Hub's own.");
    }

    /// <summary>Sends, follows redirects, and waits for the head of the answer; the body comes as it is read.</summary>
    /// <param name="make">Makes the request anew for each address; without the token.</param>
    /// <returns>An answer of any status but a redirect; the caller disposes it.</returns>
    /// <exception cref="HubException">There was no answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(Uri address, Func<Uri, HttpRequestMessage> make, CancellationToken cancellation)
    {
        for (int count = 0; count <= MostRedirects; count++)
        {
            using var request = make(address);
            Authorize(request);
            var answer = await HeadAsync(request, cancellation).ConfigureAwait(false);
            if (Target(answer, request) is not { } target) return answer;
            using (answer) address = Named(target, address);
        }

        throw new HubException(HubFault.BadAnswer, $"{options.Endpoint.Host} sends us from one address to the next without end.");
    }

    /// <summary>What comes next of a body.</summary>
    /// <exception cref="HubException">The connection broke or stood still.</exception>
    public async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellation)
    {
        using var stall = new StallWatch(options.StallTimeout, clock, cancellation);
        try
        {
            return await body.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (Broken(fault, cancellation) is { } broken)
        {
            throw broken;
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> HeadAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        var time = request.Content is not null && options.StallTimeout < AnswerTimeout ? AnswerTimeout : options.StallTimeout;
        using var stall = new StallWatch(time, clock, cancellation);
        if (request.Content is SentContent content) content.Watch = stall;
        try
        {
            return await client.SendAsync(request, stall.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (Broken(fault, cancellation) is { } broken)
        {
            throw broken;
        }
    }

    private void Authorize(HttpRequestMessage request)
    {
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("distill", "1"));
        request.Headers.AcceptEncoding.ParseAdd("identity"); // lengths and ranges are those of the file
        var to = request.RequestUri!;
        bool isOwn = to.Scheme == options.Endpoint.Scheme && to.IdnHost == options.Endpoint.IdnHost && to.Port == options.Endpoint.Port;
        if (isOwn && options.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    // A POST goes on only where the redirect says that it stays one.
    private static string? Target(HttpResponseMessage answer, HttpRequestMessage request)
    {
        bool isFollowed = (int)answer.StatusCode is 307 or 308
            || ((int)answer.StatusCode is 301 or 302 or 303 && request.Method != HttpMethod.Post);
        return isFollowed && answer.Headers.TryGetValues("Location", out var values) ? values.First() : null;
    }

    private HubException? Broken(Exception fault, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested) return null;
        string reason = fault switch
        {
            OperationCanceledException => $"nothing came for {options.StallTimeout.TotalSeconds:0} s",
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "the name has no address",
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "no secure connection could be made",
            HttpRequestException or IOException => "the connection could not be made, or broke",
            _ => "",
        };
        return reason.Length == 0 ? null
            : new HubException(HubFault.Unreachable, $"{options.Endpoint.Host} cannot be reached: {reason}. Look at the network, a proxy "
                + "(HTTPS_PROXY) and HF_ENDPOINT; HF_HUB_OFFLINE=1 uses what the cache has.", fault);
    }
}
