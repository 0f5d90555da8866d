using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Distill.Service.Hosting.Access;
using Distill.Service.Pages;
using Distill.Service.Watching;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;

namespace Distill.Service.Hosting;

/// <summary>
/// Who may look and who may act. With keys: who sends one, as <c>Bearer</c> or as the password of <c>Basic</c>, which browsers ask for.
/// With a provider of identities: who signed in there and has a role. Acting needs one of them always. Without either, this machine alone
/// may look, by its own name (a page on the Web whose name was re-pointed here gets nowhere) and not through a proxy that says so, behind
/// which everybody looks local. What changes something is refused to pages of others. Sets the headers that keep a browser from more than
/// is needed. Thread-safe.
/// </summary>
/// <param name="operatorKey">The key to act: the one of the options, or the one that was made.</param>
internal sealed class ServiceAccess(ServiceOptions options, string operatorKey, ServiceEvents events, TimeProvider clock)
{
    private const string Operator = "operator", Reader = "reader", Bearer = "Bearer ", Basic = "Basic ",
        Realm = "Basic realm=\"distill\", charset=\"UTF-8\"";

    /// <summary>Of the pages: no script, no frame, nothing from elsewhere.</summary>
    private const string PagePolicy =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    // Of the queue's own pages, which are Hangfire's: its scripts and styles, from here alone.
    private const string QueuePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly string[] ProxyHeaders =
        ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Real-IP", "Via"];

    private readonly byte[] key = Digest(operatorKey);
    private readonly byte[]? readKey = options.ReadKey is null ? null : Digest(options.ReadKey);
    private readonly bool isOpenToLook = options.IsOpenToLook, signsIn = options.SignIn is not null;
    private readonly AttemptLimit limit = new(clock);

    public static bool MayAct(HttpContext context) => context.User.IsInRole(Operator);

    public static bool MayLook(HttpContext context) => context.User.Identity?.IsAuthenticated == true;

    /// <summary>Name of who signed in with a provider; null for who came with a key or as everybody.</summary>
    public static string? SignedIn(HttpContext context) =>
        context.User.Identity is { AuthenticationType: SignIn.Provider, Name: { } name } ? name : null;

    /// <param name="subject">Of whoever says who it is; forms are bound to it.</param>
    /// <param name="by">What says so.</param>
    public static ClaimsPrincipal Person(bool mayAct, string subject, string name, string by = "key") => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.NameIdentifier, subject), new Claim(ClaimTypes.Name, name),
            new Claim(ClaimTypes.Role, mayAct ? Operator : Reader),
        ], by));

    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        SetHeaders(context);
        if (Objection(context.Request) is var (reason, sentence))
        {
            events.Refused(reason, From(context), context.Request.Path);
            await RefuseAsync(context, 403, sentence);
            return;
        }

        if (limit.Wait(context.Connection.RemoteIpAddress) is { } wait && HasKey(context.Request))
        {
            events.Refused("rate", From(context), context.Request.Path);
            context.Response.Headers.RetryAfter = $"{Math.Ceiling(wait.TotalSeconds):0}";
            await RefuseAsync(context, 429, "Too many wrong keys came from where you are. Wait a minute.");
            return;
        }

        if (await WhoAsync(context) is { } person) context.User = person;
        // Probes have no keys; they are told no reasons. Who comes back from the provider is not known yet.
        else if (!context.Request.Path.StartsWithSegments("/health") && !(signsIn && context.Request.Path == SignIn.Return))
        {
            await AskAsync(context);
            return;
        }

        if (signsIn && context.Request.Path == ServicePaths.SignIn && !MayAct(context)) await SignIn.AskAsync(context);
        else await next(context);
    }

    /// <summary>Has a browser ask for the key, which it then sends with everything.</summary>
    public static Task AskForKeyAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = Realm;
        return RefuseAsync(context, 401, "A key is needed: send it as the password, or as 'Authorization: Bearer KEY'.");
    }

    public static async Task RefuseAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }

    private static string From(HttpContext context) => $"{context.Connection.RemoteIpAddress}";

    private void SetHeaders(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments(ServicePaths.Queue) ? QueuePolicy : PagePolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
        headers.CacheControl = "no-store";
        // A browser would ask everything on this machine by TLS from then on.
        if (options.Certificate is not null && !IsLoopbackName(context.Request.Host.Host))
            headers.StrictTransportSecurity = "max-age=31536000";
    }

    private (string Reason, string Sentence)? Objection(HttpRequest request)
    {
        if (!IsOwnName(request.Host.Host) && !IsProbe(request))
            return ("host", isOpenToLook ? "This service answers to localhost only; the Host header names another machine."
                : "The Host header names another machine than this service answers for; --allowed-host adds a name.");
        if (isOpenToLook && ProxyHeaders.Any(request.Headers.ContainsKey))
            return ("proxy", "This came through a proxy, behind which everybody looks local: start the service with a key.");
        return IsOfAnotherPage(request) ? ("origin", "A page from elsewhere sent this.") : null;
    }

    // Browsers say so in Sec-Fetch-Site, old ones in Origin alone. Who has neither is no browser, and sends no key by itself.
    private static bool IsOfAnotherPage(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return false;
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is not ("same-origin" or "none");
        return request.Headers.Origin.ToString() is { Length: > 0 } origin
            && !(Uri.TryCreate(origin, UriKind.Absolute, out var from)
                && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }

    // Probes call the service by an address that nobody knows before. Where everybody may look, they are told reasons: not by any name.
    private bool IsProbe(HttpRequest request) => !isOpenToLook && request.Path.Value is ("/health/live" or "/health/ready");

    private bool IsOwnName(string host)
    {
        string name = host.Trim('[', ']');
        if (options.AllowedHosts.Contains(name, StringComparer.OrdinalIgnoreCase)) return true;
        // At an address that others reach, or behind a proxy, the names are whatever others call it.
        if (options.AllowedHosts.Count == 0 && (options.Proxies.Count > 0 || !IPAddress.IsLoopback(options.Address))) return true;
        return IsLoopbackName(name);
    }

    private static bool IsLoopbackName(string host)
    {
        string name = host.Trim('[', ']');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
    }

    private static bool HasKey(HttpRequest request) => request.Headers.Authorization.Count > 0;

    private async Task<ClaimsPrincipal?> WhoAsync(HttpContext context)
    {
        string given = KeyOf(context.Request.Headers.Authorization.ToString());
        byte[] digest = Digest(given);
        // Digests of equal length, compared in constant time: how long it takes tells nothing of the keys.
        bool acts = CryptographicOperations.FixedTimeEquals(digest, key);
        bool looks = readKey is not null && CryptographicOperations.FixedTimeEquals(digest, readKey);
        if (acts) limit.Right(context.Connection.RemoteIpAddress);
        if (acts || looks) return Person(acts, acts ? Operator : Reader, acts ? Operator : Reader);
        if (given.Length > 0)
        {
            limit.Wrong(context.Connection.RemoteIpAddress);
            events.Refused("key", From(context), context.Request.Path);
        }

        if (signsIn && await SignIn.WhoAsync(context) is { } person) return person;
        return isOpenToLook ? Person(mayAct: false, Reader, Reader) : null;
    }

    private Task AskAsync(HttpContext context)
    {
        // The page asks for itself anew: a browser that is asked for a password then shows a window for it, over a page of somebody who
        // signs in elsewhere.
        string mode = context.Request.Headers["Sec-Fetch-Mode"].ToString();
        if (signsIn && !HasKey(context.Request) && mode is not ("" or "navigate"))
            return RefuseAsync(context, 401, "Nobody is signed in, or no longer. Open the page again.");
        bool isBrowser = HttpMethods.IsGet(context.Request.Method) && !HasKey(context.Request)
            && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        return signsIn && isBrowser ? SignIn.AskAsync(context) : AskForKeyAsync(context);
    }

    private static string KeyOf(string header)
    {
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return header[Bearer.Length..].Trim();
        if (!header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return "";
        byte[] bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[Basic.Length..].Trim(), bytes, out int length)) return "";
        string pair = Encoding.UTF8.GetString(bytes, 0, length);
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}

/// <summary>Lets into Hangfire's pages whom <see cref="ServiceAccess"/> let in.</summary>
internal sealed class QueuePageAccess : IDashboardAuthorizationFilter
{
    public bool Authorize(DashboardContext context) => ServiceAccess.MayLook(context.GetHttpContext());
}
