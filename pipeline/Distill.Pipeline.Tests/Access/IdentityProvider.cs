using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Access;

/// <summary>What an <see cref="IdentityProvider"/> says that is not so.</summary>
public enum ProviderLie
{
    None,
    OtherIssuer,
    OtherAudience,
    OtherNonce,
    NoNonce,
    Expired,
    Unsigned,
    OtherKey,
    SecretAsKey,
    ChangedPayload,
    NotYet,
    NoToken,
}

/// <summary>
/// An OpenID Connect provider on this machine: discovery, keys, authorization code with PKCE, a signed id token. Lets everybody in as the
/// person that it is told to, and lies when it is told to. Dispose it.
/// </summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    public const string Client = "distill-test", Secret = "a-secret-of-the-client";

    private readonly WebApplication application;
    private readonly RSA key = RSA.Create(2048), otherKey = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge, string Redirect)> codes = [];

    private IdentityProvider(WebApplication application) => this.application = application;

    public Uri Address => new(application.Urls.Single());

    public ProviderLie Lie { get; set; }

    public string[] Groups { get; set; } = ["ml"];

    /// <summary>What was asked of it, as paths with their queries.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public static async Task<IdentityProvider> Start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var provider = new IdentityProvider(builder.Build());
        provider.application.Run(provider.AnswerAsync);
        await provider.application.StartAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        key.Dispose();
        otherKey.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Asked.Enqueue(context.Request.Path + context.Request.QueryString.Value);
        switch (context.Request.Path.Value)
        {
            case "/.well-known/openid-configuration":
                await context.Response.WriteAsJsonAsync(new
                {
                    issuer = Address.AbsoluteUri.TrimEnd('/'), authorization_endpoint = new Uri(Address, "/authorize"),
                    token_endpoint = new Uri(Address, "/token"), jwks_uri = new Uri(Address, "/keys"),
                    response_types_supported = new[] { "code" }, id_token_signing_alg_values_supported = new[] { "RS256" },
                });
                break;
            case "/keys":
                var numbers = key.ExportParameters(false);
                await context.Response.WriteAsJsonAsync(new
                {
                    keys = new[]
                    {
                        new { kty = "RSA", use = "sig", kid = "1", n = Encode(numbers.Modulus!), e = Encode(numbers.Exponent!) },
                    },
                });
                break;
            case "/authorize":
                var query = context.Request.Query;
                (query["client_id"].ToString(), query["response_type"].ToString(), query["code_challenge_method"].ToString())
                    .ShouldBe((Client, "code", "S256"));
                string code = Guid.NewGuid().ToString("N");
                codes[code] = (query["nonce"].ToString(), query["code_challenge"].ToString(), query["redirect_uri"].ToString());
                context.Response.Redirect(
                    $"{query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(query["state"].ToString())}");
                break;
            case "/token":
                await AnswerTokenAsync(context, await context.Request.ReadFormAsync());
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private async Task AnswerTokenAsync(HttpContext context, IFormCollection form)
    {
        bool isKnown = codes.TryRemove(form["code"].ToString(), out var asked); // a code is good once
        if (!isKnown || form["client_secret"] != Secret || form["redirect_uri"] != asked.Redirect
            || Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked.Challenge)
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new { error = "invalid_grant" });
            return;
        }

        var answer = new JsonObject { ["access_token"] = "an-access-token-of-theirs", ["token_type"] = "Bearer", ["expires_in"] = 300 };
        if (Lie != ProviderLie.NoToken) answer["id_token"] = Token(asked.Nonce);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString());
    }

    private string Token(string nonce)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Lie == ProviderLie.OtherIssuer ? "https://other.example.com" : Address.AbsoluteUri.TrimEnd('/'),
            ["aud"] = Lie == ProviderLie.OtherAudience ? "another-client" : Client,
            ["sub"] = "person-1", ["name"] = "Ada <b>", ["iat"] = now - 10,
            ["nbf"] = Lie == ProviderLie.NotYet ? now + 3600 : now - 10,
            ["exp"] = Lie == ProviderLie.Expired ? now - 3600 : now + 300,
            ["groups"] = new JsonArray([.. Groups.Select(group => (JsonNode)group)]),
        };
        if (Lie != ProviderLie.NoNonce) claims["nonce"] = Lie == ProviderLie.OtherNonce ? "another" : nonce;
        string algorithm = Lie switch { ProviderLie.Unsigned => "none", ProviderLie.SecretAsKey => "HS256", _ => "RS256" };
        string head = Encode(JsonSerializer.SerializeToUtf8Bytes(new { alg = algorithm, typ = "JWT", kid = "1" }));
        string text = $"{head}.{Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        byte[] signature = Lie switch
        {
            ProviderLie.Unsigned => [],
            ProviderLie.SecretAsKey => HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), bytes),
            ProviderLie.OtherKey => otherKey.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        };
        if (Lie == ProviderLie.ChangedPayload)
        {
            claims["sub"] = "person-2";
            text = $"{head}.{Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        }

        return $"{text}.{Encode(signature)}";
    }

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
