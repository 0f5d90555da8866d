using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;

namespace Distill.Service.Hosting;

/// <summary>
/// Who may look and who may act. With keys: who sends one, as <c>Bearer</c> or as the password of <c>Basic</c>, which browsers ask for.
/// Acting needs a key always. Without one given, this machine alone may look, by its own name (a page on the Web whose name was re-pointed
/// here gets nowhere) and not through a proxy that says so, behind which everybody looks local. Forwarded headers are trusted for nothing.
/// What changes something is refused to pages of others. Sets the headers that keep a browser from more than is needed.
/// </summary>
/// <param name="operatorKey">The key to act: the one of the options, or the one that was made.</param>
internal sealed class ServiceAccess(ServiceOptions options, string operatorKey)
{
    private const string Operator = "operator", Bearer = "Bearer ", Basic = "Basic ", Realm = "Basic realm=\"distill\", charset=\"UTF-8\"";

    /// <summary>Of the pages: no script, no frame, nothing from elsewhere.</summary>
    private const string PagePolicy =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    // Of the queue's own pages, which are Hangfire's: its scripts and styles, from here alone.
    private const string QueuePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"];

    private readonly byte[] key = Digest(operatorKey);
    private readonly byte[]? readKey = options.ReadKey is null ? null : Digest(options.ReadKey);
    private readonly bool isOpenToLook = options.Key is null;

    public static bool MayAct(HttpContext context) => context.User.IsInRole(Operator);

    public static bool MayLook(HttpContext context) => context.User.Identity?.IsAuthenticated == true;

    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        SetHeaders(context);
        if (isOpenToLook && !IsOwnName(context.Request.Host.Host))
        {
            await RefuseAsync(context, 403, "This service answers to localhost only; the Host header names another machine.");
            return;
        }

        if (isOpenToLook && ProxyHeaders.Any(context.Request.Headers.ContainsKey))
        {
            await RefuseAsync(context, 403, "This came through a proxy, behind which everybody looks local: start the service with a key.");
            return;
        }

        if (IsOfAnotherPage(context.Request))
        {
            await RefuseAsync(context, 403, "A page from elsewhere sent this.");
            return;
        }

        if (RoleOf(context.Request) is { } role) context.User = Person(role);
        // Probes have no keys; they are told no reasons.
        else if (!context.Request.Path.StartsWithSegments("/health"))
        {
            await AskForKeyAsync(context);
            return;
        }

        await next(context);
    }

    /// <summary>Has a browser ask for the key, which it then sends with everything.</summary>
    public static Task AskForKeyAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = Realm;
        return RefuseAsync(context, 401, "A key is needed: send it as the password, or as 'Authorization: Bearer KEY'.");
    }

    private static void SetHeaders(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments(ServicePaths.Queue) ? QueuePolicy : PagePolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    private static async Task RefuseAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(message + "\n", context.RequestAborted);
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

    private static bool IsOwnName(string host)
    {
        string name = host.Trim('[', ']');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
    }

    private static ClaimsPrincipal Person(string role) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, role), new Claim(ClaimTypes.Role, role)], "key"));

    /// <summary>Null for who may not even look.</summary>
    private string? RoleOf(HttpRequest request)
    {
        byte[] given = Digest(KeyOf(request.Headers.Authorization.ToString()));
        // Digests of equal length, compared in constant time: how long it takes tells nothing of the keys.
        bool acts = CryptographicOperations.FixedTimeEquals(given, key);
        bool looks = isOpenToLook || (readKey is not null && CryptographicOperations.FixedTimeEquals(given, readKey));
        return acts ? Operator : looks ? "reader" : null;
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
