using Microsoft.AspNetCore.Http;

namespace Distill.Serving.Http;

/// <summary>
/// Which web pages may ask from a browser (the Fetch standard's CORS protocol): those of the origins that were named, by default none. A
/// browser asks first, with OPTIONS and without the key, and keeps from a page whatever does not name its origin. Immutable.
/// </summary>
internal sealed class CrossOrigin(IReadOnlyList<string> origins)
{
    private const string Every = "*";

    /// <summary>What is wrong with an origin; null for nothing.</summary>
    public static string? FaultOf(string origin) => origin == Every
        || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase))
        ? null
        : $"'{origin}' is no origin: SCHEME://HOST or SCHEME://HOST:PORT, without a path, e.g. http://localhost:5173; or * for all";

    public static bool IsEvery(string origin) => origin == Every;

    /// <summary>Tells a browser of an allowed page that it may read the answer, whatever that becomes.</summary>
    public void Allow(HttpContext context)
    {
        if (origins.Count == 0) return;
        context.Response.Headers.Vary = "Origin"; // a cache must not give one origin's answer to another
        if (Allowed(context.Request) is not { } origin) return;
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.AccessControlExposeHeaders = "Retry-After";
    }

    /// <summary>Answers a browser that asks before it asks; false for every other request.</summary>
    public bool AnswersPreflight(HttpContext context)
    {
        var (asked, answer) = (context.Request.Headers, context.Response.Headers);
        if (context.Request.Method != "OPTIONS" || asked.AccessControlRequestMethod.Count == 0) return false;
        if (Allowed(context.Request) is null) return false;
        answer.AccessControlAllowMethods = "GET, POST";
        // Clients send names of their own, which nothing here reads.
        string names = asked.AccessControlRequestHeaders.ToString();
        answer.AccessControlAllowHeaders = names.Length > 0 && names.All(IsOfNames) ? names : "authorization, content-type";
        answer.AccessControlMaxAge = "600";
        if (asked.ContainsKey("Access-Control-Request-Private-Network")) answer["Access-Control-Allow-Private-Network"] = "true";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private string? Allowed(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        // An answer's headers are ASCII: saying another origin again would be a fault.
        return origin.Length > 0 && origin.All(character => character is > ' ' and <= '~')
            && origins.Any(allowed => IsEvery(allowed) || allowed.Equals(origin, StringComparison.OrdinalIgnoreCase))
            ? origin
            : null;
    }

    /// <summary>A character of a list of names of headers (RFC 9110, tokens and commas).</summary>
    private static bool IsOfNames(char character) => char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~, ".Contains(character);
}
