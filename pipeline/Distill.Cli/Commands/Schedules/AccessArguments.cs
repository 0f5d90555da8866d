using System.CommandLine;
using System.Net;
using Distill.Service.Hosting.Access;

namespace Distill.Cli.Commands.Schedules;

/// <summary>Who gets into the service, and how: keys, a provider of identities, TLS, proxies. Adds itself to the command it is made
/// for.</summary>
internal sealed class AccessArguments
{
    private readonly Option<string> keyVariable = Variable("--api-key-env",
        "Environment variable with the key of those who may look and act, of at least 16 characters. "
        + "Without it everybody on this machine may look, and a key to act is made in the folder of runs.");

    private readonly Option<string> readKeyVariable =
        Variable("--read-key-env", "Environment variable with the key of those who may only look, and of Prometheus.");

    private readonly Option<string> authority = new("--oidc")
    {
        HelpName = "ADDRESS",
        Description = "OpenID Connect provider that people sign in with, e.g. https://login.example.com/realms/lab; "
            + $"register {SignIn.Return} of this service there.",
    };

    private readonly Option<string> client = new("--oidc-client")
        { HelpName = "ID", Description = "What the provider calls this service." };

    private readonly Option<string> clientSecret =
        Variable("--oidc-secret-env", "Environment variable with the client's secret; without it PKCE alone proves who asks.");

    private readonly Option<string[]> operators =
        Many("--oidc-operator", "CLAIM=VALUE", "Who has the claim may look and act, e.g. groups=ml-team; may be repeated.");

    private readonly Option<string[]> readers = Many("--oidc-reader", "CLAIM=VALUE", "Who has the claim may look; may be repeated.");

    private readonly Option<string[]> scopes =
        Many("--oidc-scope", "SCOPE", "Asked for besides openid. Default profile; some providers give groups for one of theirs.");

    private readonly Option<string> certificate = new("--certificate")
    {
        HelpName = "FILE", Description = "Certificate to answer with by TLS: PEM, the whole chain, or PFX. Read again when it is replaced.",
    };

    private readonly Option<string> certificateKey = new("--certificate-key")
        { HelpName = "FILE", Description = "Its private key (PEM), where it is not in the same file." };

    private readonly Option<string> certificatePassword =
        Variable("--certificate-password-env", "Environment variable with the password of the key or the PFX file.");

    private readonly Option<string[]> proxies = Many("--proxy", "ADDRESS",
        "Address or network (10.0.0.0/8) of a proxy whose X-Forwarded-For, -Proto and -Host are believed; may be repeated. "
        + "From others they count for nothing.");

    private readonly Option<string[]> hosts = Many("--allowed-host", "NAME",
        "Name that requests may call this service by; may be repeated. Default: localhost where only this machine reaches it, else any.");

    public AccessArguments(Command command)
    {
        foreach (var option in (Option[])
            [keyVariable, readKeyVariable, authority, client, clientSecret, operators, readers, scopes, certificate, certificateKey,
                certificatePassword, proxies, hosts])
            command.Options.Add(option);
    }

    public string? KeyOf(ParseResult parsed) => Secret(parsed.GetValue(keyVariable));

    public string? ReadKeyOf(ParseResult parsed) => Secret(parsed.GetValue(readKeyVariable));

    /// <summary>Variables that no run has any business with.</summary>
    public IEnumerable<string> VariablesOf(ParseResult parsed) => new[] { keyVariable, readKeyVariable, clientSecret, certificatePassword }
        .Select(parsed.GetValue).OfType<string>();

    /// <exception cref="UsageException">Something of it is missing or can be nothing.</exception>
    public SignInOptions? SignInOf(ParseResult parsed)
    {
        string[] allowed = parsed.GetValue(operators) ?? [], looking = parsed.GetValue(readers) ?? [];
        if (parsed.GetValue(authority) is not { } address)
        {
            return parsed.GetValue(client) is null && allowed.Length + looking.Length == 0 ? null
                : throw new UsageException("--oidc-client, --oidc-operator and --oidc-reader say nothing without --oidc.",
                    "Give the provider's address with --oidc.");
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            throw new UsageException($"--oidc '{address}' is no address.", "Write one such as https://login.example.com/realms/lab.");
        string id = parsed.GetValue(client)
            ?? throw new UsageException("--oidc needs --oidc-client.", "Give the id that the provider has for this service.");
        var roles = allowed.Select(text => Role("--oidc-operator", text, mayAct: true))
            .Concat(looking.Select(text => Role("--oidc-reader", text, mayAct: false)));
        return new(uri, id, Secret(parsed.GetValue(clientSecret)), [.. roles])
            { Scopes = parsed.GetValue(scopes) is { Length: > 0 } given ? given : ["profile"] };
    }

    /// <exception cref="UsageException">There is a key and no certificate.</exception>
    public CertificateOptions? CertificateOf(ParseResult parsed)
    {
        string? key = parsed.GetValue(certificateKey);
        if (parsed.GetValue(certificate) is { } path) return new(path, key, Secret(parsed.GetValue(certificatePassword)));
        return key is null ? null
            : throw new UsageException("--certificate-key says nothing without --certificate.", "Give the certificate too.");
    }

    /// <exception cref="UsageException">One is no address.</exception>
    public IReadOnlyList<IPNetwork> ProxiesOf(ParseResult parsed) => [.. (parsed.GetValue(proxies) ?? []).Select(text =>
        ProxyNetwork.Parse(text) ?? throw new UsageException($"--proxy '{text}' is no address.", "Write 127.0.0.1, ::1 or 10.0.0.0/8."))];

    public IReadOnlyList<string> HostsOf(ParseResult parsed) => parsed.GetValue(hosts) ?? [];

    private static ClaimRole Role(string option, string text, bool mayAct) => ClaimRole.Parse(text, mayAct)
        ?? throw new UsageException($"{option} '{text}' is no claim with a value.", "Write e.g. groups=ml-team.");

    private static string? Secret(string? variable) => variable is null ? null
        : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } key ? key
        : throw new UsageException(
            $"The environment variable '{variable}' is not set.", "Put the secret into it; it is never given on the command line.");

    private static Option<string> Variable(string name, string description) =>
        new(name) { HelpName = "VARIABLE", Description = description };

    private static Option<string[]> Many(string name, string word, string description) => new(name)
    {
        HelpName = word, Description = description, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
    };
}
