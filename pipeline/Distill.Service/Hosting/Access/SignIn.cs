using System.Security.Claims;
using Distill.Service.Pages;
using Distill.Service.Watching;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Distill.Service.Hosting.Access;

/// <summary>
/// Signing in with an OpenID Connect provider: authorization code with PKCE, checked tokens, and a cookie for the browser that holds a name
/// and a role and nothing else. No token of the provider is kept.
/// </summary>
internal static class SignIn
{
    /// <summary>Of the cookie, and of the provider.</summary>
    public const string Session = "session", Provider = "provider";

    /// <summary>Where the provider sends browsers back to; to be registered there.</summary>
    public const string Return = "/signed-in";

    // The prefix has browsers take it over TLS alone, for this host and its whole path.
    private const string CookieName = "__Host-distill";

    private static readonly TimeSpan Length = TimeSpan.FromHours(8), Skew = TimeSpan.FromMinutes(1);

    private static readonly string[] Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    public static void Add(IServiceCollection services, SignInOptions options, ServiceEvents events) => services.AddAuthentication()
        .AddCookie(Session, cookie =>
        {
            cookie.Cookie.Name = CookieName;
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            cookie.Cookie.SameSite = SameSiteMode.Lax;
            cookie.Cookie.Path = "/";
            cookie.ExpireTimeSpan = Length;
            cookie.SlidingExpiration = false;
        })
        .AddOpenIdConnect(Provider, connect => Configure(connect, options, events));

    /// <summary>Sends a browser to the provider, and back to where it wanted to.</summary>
    public static Task AskAsync(HttpContext context)
    {
        var path = context.Request.Path;
        string target = path == ServicePaths.SignIn || !IsOurs(path.Value ?? "") ? "/" : path + context.Request.QueryString.Value;
        return context.ChallengeAsync(Provider, new AuthenticationProperties { RedirectUri = target });
    }

    // Nobody is sent elsewhere after signing in: what begins with two slashes names another host to browsers, to which "\" is one too.
    private static bool IsOurs(string path) => path is ['/'] or ['/', not ('/' or '\\'), ..];

    /// <returns>Who the browser's cookie says it is; null for nobody.</returns>
    public static async Task<ClaimsPrincipal?> WhoAsync(HttpContext context) =>
        (await context.AuthenticateAsync(Session)) is { Succeeded: true, Principal: { } person } ? person : null;

    public static Task EndAsync(HttpContext context) => context.SignOutAsync(Session);

    private static void Configure(OpenIdConnectOptions connect, SignInOptions options, ServiceEvents events)
    {
        connect.Authority = options.Authority.AbsoluteUri.TrimEnd('/');
        connect.RequireHttpsMetadata = !options.IsOnThisMachine;
        (connect.ClientId, connect.ClientSecret) = (options.ClientId, options.Secret);
        connect.SignInScheme = Session;
        connect.CallbackPath = Return;
        connect.RemoteSignOutPath = default; // a link from elsewhere ends no session
        connect.ResponseType = OpenIdConnectResponseType.Code;
        connect.ResponseMode = OpenIdConnectResponseMode.Query; // a link that is followed, with which cookies of Lax are sent
        connect.UsePkce = true;
        connect.SaveTokens = false;
        connect.MapInboundClaims = false;
        connect.GetClaimsFromUserInfoEndpoint = false;
        connect.DisableTelemetry = true;
        connect.Scope.Clear();
        foreach (string scope in options.Scopes.Prepend("openid").Distinct()) connect.Scope.Add(scope);
        var (token, protocol) = (connect.TokenValidationParameters, connect.ProtocolValidator);
        (token.ValidateIssuer, token.ValidateAudience, token.ValidateLifetime) = (true, true, true);
        (token.RequireSignedTokens, token.RequireExpirationTime, token.ClockSkew) = (true, true, Skew);
        (token.ValidAudience, token.ValidAlgorithms) = (options.ClientId, Algorithms);
        (protocol.RequireNonce, protocol.RequireState) = (true, true);
        foreach (var cookie in (CookieBuilder[])[connect.NonceCookie, connect.CorrelationCookie])
            (cookie.SameSite, cookie.SecurePolicy, cookie.HttpOnly) = (SameSiteMode.Lax, CookieSecurePolicy.Always, true);
        connect.Events = new OpenIdConnectEvents
        {
            OnTokenValidated = context => AdmitAsync(context, options, events),
            OnRemoteFailure = context => FailAsync(context, events),
        };
    }

    private static Task AdmitAsync(TokenValidatedContext context, SignInOptions options, ServiceEvents events)
    {
        // The handler lets a token without a signature pass where it came by the provider's own connection.
        if (!Algorithms.Contains(context.SecurityToken.Header.Alg))
        {
            context.Fail("The token is not signed.");
            return Task.CompletedTask;
        }

        var known = context.Principal!;
        var roles = options.Roles.Where(role => known.HasClaim(role.Claim, role.Value)).ToList();
        if (roles.Count == 0)
        {
            events.Refused("role", $"{context.HttpContext.Connection.RemoteIpAddress}", Return);
            context.Fail(new NoRoleException());
            return Task.CompletedTask;
        }

        string subject = known.FindFirstValue("sub") ?? "", name = known.FindFirstValue("name") ?? known.FindFirstValue("email") ?? subject;
        context.Principal = ServiceAccess.Person(roles.Any(role => role.MayAct), subject, name, Provider);
        return Task.CompletedTask;
    }

    // What went wrong is for the log: a stranger learns nothing of it.
    private static async Task FailAsync(RemoteFailureContext context, ServiceEvents events)
    {
        context.HandleResponse();
        bool isStranger = context.Failure is NoRoleException || context.Failure?.InnerException is NoRoleException;
        if (!isStranger)
        {
            events.Refused("sign-in", $"{context.HttpContext.Connection.RemoteIpAddress}", Return);
            if (context.Failure is { } fault) events.Failed(Return, fault);
        }

        await ServiceAccess.RefuseAsync(context.HttpContext, 403, isStranger ? "Your account has no role here."
            : "Signing in did not succeed. Go back to the page and try once more.");
    }

    /// <summary>Somebody whom the provider knows and nobody let in.</summary>
    private sealed class NoRoleException() : Exception("None of the account's claims has a role here.");
}
