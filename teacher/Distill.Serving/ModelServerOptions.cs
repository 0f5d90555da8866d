using System.Net;

namespace Distill.Serving;

/// <summary>Where and to whom a <see cref="ModelServer"/> answers.</summary>
public sealed record ModelServerOptions
{
    private const int ShortestKey = 16;

    /// <summary>What requests call the model.</summary>
    public required string ModelName { get; init; }

    /// <summary>Default: the loopback address, which only this machine reaches.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 takes any free port. Default 8080.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>What callers must send as <c>Authorization: Bearer</c>. Required for every address but loopback; null asks for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>HTTP requests served or waiting at once before another is refused with 429. Default 64.</summary>
    public int MostRequests { get; init; } = 64;

    /// <summary>Prompts of one request completed at once. Default 8.</summary>
    public int PromptsAtOnce { get; init; } = 8;

    /// <summary>Default 4 MiB.</summary>
    public long MostBodyBytes { get; init; } = 4 << 20;

    /// <summary>Seeds of requests that bring none follow from this and their number. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>Told of every answered request; may be called from several threads at once.</summary>
    public Action<ServedRequest>? Served { get; init; }

    /// <summary>Told of faults that are the server's own; as <see cref="Served"/>.</summary>
    public Action<Exception>? Failed { get; init; }

    /// <exception cref="ArgumentException">Impossible, or open to others without a key.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        if (ModelName.Length == 0) problems.Add("the model needs a name");
        if (Port is < 0 or > ushort.MaxValue) problems.Add($"port {Port} must be in 0..65535");
        if (MostRequests < 1) problems.Add($"MostRequests {MostRequests} must be at least 1");
        if (PromptsAtOnce < 1) problems.Add($"PromptsAtOnce {PromptsAtOnce} must be at least 1");
        if (MostBodyBytes < 1) problems.Add($"MostBodyBytes {MostBodyBytes} must be at least 1");
        if (ApiKey is { Length: < ShortestKey }) problems.Add($"the API key must have at least {ShortestKey} characters");
        if (ApiKey is null && !IPAddress.IsLoopback(Address)) problems.Add($"{Address} can be reached from other machines, so an API key is required");
        if (problems.Count > 0) throw new ArgumentException("The server cannot be started: " + string.Join("; ", problems) + ".");
    }
}
