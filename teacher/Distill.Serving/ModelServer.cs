using System.Net;
using Distill.Generation;
using Distill.Serving.Http;
using Distill.Teacher;
using Distill.Tokenization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Distill.Serving;

/// <summary>
/// A model behind OpenAI's HTTP interface: <c>/v1/chat/completions</c>, <c>/v1/completions</c>, <c>/v1/models</c> and <c>/health</c>. All
/// callers share one engine, which stays the starter's: dispose the server first. Reads no configuration and logs nothing by itself.
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
        GenerationEngine engine, ChatEncoder encoder, ModelServerOptions options, TimeProvider? clock = null, CancellationToken cancellation = default)
    {
        options.Validate();
        VocabularyCheck.Require(encoder.Tokenizer, engine.Model);
        clock ??= TimeProvider.System;
        var handler = new RequestHandler(new ServedModel(engine, encoder, options, clock), options, clock);
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
