using System.Net;
using Distill.Generation;
using Distill.Serving.Http;
using Distill.Tokenization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Distill.Serving;

/// <summary>
/// A model behind OpenAI's HTTP interface: <c>/v1/chat/completions</c>, <c>/v1/responses</c>, <c>/v1/completions</c>, <c>/v1/models</c> and
/// <c>/health</c>. All callers share one engine, which stays the starter's: dispose the server first. Reads no configuration and logs
/// nothing by itself.
/// </summary>
public sealed class ModelServer : IAsyncDisposable
{
    private const int MostConnections = 1024;
    private readonly WebApplication application;

    private ModelServer(WebApplication application, Uri address) => (this.application, Address) = (application, address);

    /// <summary>Where it answers, with the port that was free.</summary>
    public Uri Address { get; }

    /// <param name="clock">Default: the system's.</param>
    /// <exception cref="ArgumentException">Impossible options, or open to others without a key.</exception>
    /// <exception cref="InvalidDataException">The tokenizer is not the model's.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<ModelServer> StartAsync(
        GenerationEngine engine, ChatEncoder encoder, ModelServerOptions options, TimeProvider? clock = null,
        CancellationToken cancellation = default)
    {
        options.Validate();
        VocabularyCheck.Require(encoder.Tokenizer, engine.Model);
        clock ??= TimeProvider.System;
        var handler = new RequestHandler(new AnsweringModel(engine, encoder, options, clock), options, clock);
        var application = Build(options, handler);
        try
        {
            await application.StartAsync(cancellation);
            string bound = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            return new ModelServer(application, new Uri(bound));
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no more requests and waits for those in progress.</summary>
    /// <param name="grace">Then they are cut off.</param>
    public async Task StopAsync(TimeSpan grace)
    {
        using var patience = new CancellationTokenSource(grace);
        await application.StopAsync(patience.Token);
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    // An empty builder: no settings files, no environment variables, no log on standard output decide anything here.
    private static WebApplication Build(ModelServerOptions options, RequestHandler handler)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MostBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Listen(new IPEndPoint(options.Address, options.Port));
        });
        var application = builder.Build();
        application.Run(handler.HandleAsync);
        return application;
    }

    /// <summary>Signals are the program's business.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>A request that was answered; nothing of what it said.</summary>
/// <param name="Status">HTTP status; 499 when the client went away first.</param>
public sealed record ServedRequest(string Method, string Path, int Status, int PromptTokens, int CompletionTokens, TimeSpan Elapsed);

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

    /// <summary>
    /// What callers must send as <c>Authorization: Bearer</c>. Required for every address but loopback; null asks for none.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>
    /// Web pages that may ask from a browser, by origin (<c>http://localhost:5173</c>); <c>*</c> for all, which needs a key. Default: none.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

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
        if (ApiKey is null && !IPAddress.IsLoopback(Address))
            problems.Add($"{Address} can be reached from other machines, so an API key is required");
        problems.AddRange(AllowedOrigins.Select(CrossOrigin.FaultOf).OfType<string>());
        if (ApiKey is null && AllowedOrigins.Any(CrossOrigin.IsEvery))
            problems.Add("the origin * lets every page of the web ask, so an API key is required");
        if (problems.Count > 0) throw new ArgumentException("The server cannot be started: " + string.Join("; ", problems) + ".");
    }
}
