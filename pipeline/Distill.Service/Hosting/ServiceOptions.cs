using System.Net;
using Distill.Service.Hosting.Access;

namespace Distill.Service.Hosting;

/// <summary>Where a <see cref="ScheduleService"/> works, and where and to whom it answers.</summary>
internal sealed record ServiceOptions
{
    public const string PostgresVariable = "DISTILL_POSTGRES";

    public const int ShortestKey = 16;

    public required string RunsFolder { get; init; }

    public required string SchedulesFile { get; init; }

    /// <summary>Default: the loopback address, which only this machine reaches.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 takes any free port.</summary>
    public int Port { get; init; } = 8090;

    /// <summary>
    /// Who has it may look and act. Required for every address but loopback, where null lets everybody look, and act who has
    /// <see cref="OperatorKey"/>.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>Who has it may look.</summary>
    public string? ReadKey { get; init; }

    /// <summary>Environment variables with the service's own secrets, which no program that it starts is given.</summary>
    public IReadOnlyList<string> SecretVariables { get; init; } = [PostgresVariable];

    /// <summary>Who says who somebody is, besides the keys; null for nobody.</summary>
    public SignInOptions? SignIn { get; init; }

    /// <summary>The service's own certificate; null for HTTP, on this machine or behind a proxy.</summary>
    public CertificateOptions? Certificate { get; init; }

    /// <summary>Where proxies are whose forwarded headers are believed. Behind one, nobody counts as being on this machine.</summary>
    public IReadOnlyList<IPNetwork> Proxies { get; init; } = [];

    /// <summary>
    /// Names that requests may call the service. Empty: its own ones at the loopback address, any one at others and behind a proxy.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Whether everybody who reaches it may look.</summary>
    public bool IsOpenToLook => Key is null && SignIn is null;

    /// <summary>Connection string of the queue's database; null keeps the queue in memory.</summary>
    public string? Postgres { get; init; }

    /// <exception cref="ArgumentException">Impossible, or open to others without a key.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        if (Port is < 0 or > ushort.MaxValue) problems.Add($"port {Port} must be in 0..65535");
        if (Key is { Length: < ShortestKey } || ReadKey is { Length: < ShortestKey })
            problems.Add($"a key must have at least {ShortestKey} characters");
        if (Key is not null && Key == ReadKey) problems.Add("the key to act and the key to look must differ");
        if (Key is null && ReadKey is not null && SignIn is null)
            problems.Add("a key to look without one to act would leave looking to everybody");
        if (IsOpenToLook && !IPAddress.IsLoopback(Address))
            problems.Add($"{Address} can be reached from other machines, so a key is required, or a provider to sign in with");
        if (IsOpenToLook && Proxies.Count > 0)
            problems.Add("everybody looks local behind a proxy, so a key is required, or a provider to sign in with");
        if (SignIn is not null)
        {
            problems.AddRange(SignIn.Problems());
            if (Certificate is null && Proxies.Count == 0 && !IPAddress.IsLoopback(Address))
                problems.Add("signing in needs TLS: a certificate, or a proxy that has one");
        }

        if (problems.Count > 0) throw new ArgumentException("The service cannot be started: " + string.Join("; ", problems) + ".");
    }
}
