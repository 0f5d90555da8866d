using System.Net;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Watching;
using Distill.Service.Hosting.Access;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Pages;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Distill.Service.Watching;
using Distill.Storage;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Distill.Service.Hosting;

/// <summary>
/// What <c>distill serve</c> starts: the schedules, their runs, and the page. One process looks after a folder of runs. Reads no
/// configuration and logs only where it is told to. Stop it, then dispose it.
/// </summary>
internal sealed class ScheduleService : IAsyncDisposable
{
    private const long MostBody = 64 << 10;

    private readonly WebApplication application;
    private readonly ScheduleLoop loop;
    private readonly RunQueue queue;
    private readonly FileLock held;
    private readonly CancellationTokenSource stopping;
    private readonly ServiceEvents events;

    private ScheduleService(WebApplication application, RunQueue queue, FileLock held, CancellationTokenSource stopping)
    {
        (this.application, this.queue, this.held, this.stopping) = (application, queue, held, stopping);
        loop = application.Services.GetRequiredService<ScheduleLoop>();
        events = application.Services.GetRequiredService<ServiceEvents>();
    }

    /// <summary>Where it answers, with the port that was free.</summary>
    public required Uri Address { get; init; }

    /// <summary>File with the key to act; null where one was given.</summary>
    public required string? KeyFile { get; init; }

    /// <summary>Ends when the service is stopped, or with the fault that keeps it from looking at its schedules any more.</summary>
    public Task Looking => loop.ExecuteTask ?? Task.CompletedTask;

    /// <param name="program">Starts runs.</param>
    /// <param name="log">Makes the log that is written to, of what takes secrets out of a text; null for none.</param>
    /// <exception cref="ArgumentException">Impossible options, or open to others without a key.</exception>
    /// <exception cref="Distill.Pipeline.Recipes.InvalidRecipeException">The schedules are wrong.</exception>
    /// <exception cref="RunRefusedException">Another process looks after the folder.</exception>
    /// <exception cref="IOException">The port is taken, the folder cannot be written to, or the database cannot be used.</exception>
    public static async Task<ScheduleService> StartAsync(
        ServiceOptions options, IDistillProgram program, TimeProvider clock, CancellationToken cancellation,
        Func<Func<string, string>, StructuredLog>? log = null)
    {
        options.Validate();
        var book = new ScheduleBook(options.SchedulesFile);
        var store = new OccurrenceStore(options.RunsFolder);
        var held = FileLock.TryTake(store.ServerLock, $"process {Environment.ProcessId}") ?? throw new RunRefusedException(
            $"Another 'distill serve' looks after {store.RunsFolder} "
            + $"({FileLock.OwnerOf(store.ServerLock)}). End that, or give another --runs.");
        var stopping = new CancellationTokenSource();
        RunQueue? queue = null;
        WebApplication? application = null;
        try
        {
            store.RemoveLeftovers();
            queue = RunQueue.Open(options.Postgres);
            string? keyFile = options.Key is null ? store.KeyFile : null;
            application = Build(
                options, options.Key ?? OperatorKey.OfFile(store.KeyFile), book, store, queue, program, clock, log, stopping.Token);
            await application.StartAsync(cancellation);
            string bound = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            var service = new ScheduleService(application, queue, held, stopping) { Address = new Uri(bound), KeyFile = keyFile };
            service.events.Started(bound);
            return service;
        }
        catch
        {
            await stopping.CancelAsync(); // a run may have been started already
            queue?.Dispose();
            if (application is not null) await application.DisposeAsync();
            held.Dispose();
            stopping.Dispose();
            throw;
        }
    }

    /// <summary>Stops runs at a safe point; they go on after the next start. Takes less than ten seconds.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(Task.Run(queue.Dispose), application.StopAsync());
        events.Stopped();
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        held.Dispose();
        stopping.Dispose();
    }

    private static WebApplication Build(
        ServiceOptions options, string operatorKey, ScheduleBook book, OccurrenceStore store, RunQueue queue, IDistillProgram program,
        TimeProvider clock, Func<Func<string, string>, StructuredLog>? log, CancellationToken stopping)
    {
        var secrets = new SecretText(book, operatorKey, options.ReadKey, options.Postgres, RunQueue.PasswordOf(options.Postgres),
            options.SignIn?.Secret, options.Certificate?.Password);
        var events = new ServiceEvents(log?.Invoke(secrets.Without) ?? StructuredLog.None);
        var live = new LiveRuns();
        var certificate = options.Certificate is { } files ? new ServerCertificate(files, clock) : null;
        var health = new ServiceHealth(store, book, live, clock, certificate);
        var followUps = new FollowUps(store, book, program, new Notifiers(clock, options.SecretVariables), secrets, clock);
        var runner = new OccurrenceRunner(store, book, program, followUps, live, secrets, clock, events);
        var loop = new ScheduleLoop(store, book, queue, health, clock, events);
        queue.Start(() => new OccurrenceJob(runner, loop.Returned, stopping));

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var services = builder.Services;
        services.AddSingleton<IHostLifetime, NoLifetime>().AddSingleton(loop).AddSingleton<IHostedService>(loop).AddSingleton(events);
        services.AddSingleton(_ => new ServiceMetrics(store, book, health, events, clock)); // disposed of with the application
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        services.AddRoutingCore().AddAntiforgery(form =>
            (form.Cookie.SameSite, form.Cookie.SecurePolicy) = (SameSiteMode.Strict, CookieSecurePolicy.SameAsRequest));
        services.AddSingleton(new ScrubbedAnswers(secrets));
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        if (options.SignIn is { } provider) SignIn.Add(services, provider, events);
        // What the queue's page needs; AddHangfire would tie the process's log and storage to this host.
        services.AddSingleton<IGlobalConfiguration>(GlobalConfiguration.Configuration).AddSingleton(DashboardRoutes.Routes);
        Listen(builder.WebHost, options, certificate);
        var application = builder.Build();
        Guard(application, options, operatorKey, events, clock);
        new ServiceEndpoints(new ServiceView(store, book, live, health, secrets, clock), store, book, clock).Map(application);
        new WatchEndpoints(health, application.Services.GetRequiredService<ServiceMetrics>(), options.SignIn is not null).Map(application);
        application.UseHangfireDashboard(ServicePaths.Queue, new DashboardOptions
        {
            Authorization = [new QueuePageAccess()], AppPath = "/", DashboardTitle = "Distill: queue",
            IsReadOnlyFunc = context => !ServiceAccess.MayAct(context.GetHttpContext()),
        }, queue.Storage);
        return application;
    }

    private static void Listen(IWebHostBuilder host, ServiceOptions options, ServerCertificate? certificate) =>
        host.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBody;
            kestrel.Listen(new IPEndPoint(options.Address, options.Port), listen =>
            {
                if (certificate is not null)
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Answer()) });
            });
        });

    // Everything passes the guard first, as whoever it came from: a proxy's word for that is taken before, and only a known proxy's.
    private static void Guard(
        WebApplication application, ServiceOptions options, string operatorKey, ServiceEvents events, TimeProvider clock)
    {
        application.Use(next => context => AnswerAsync(context, next, events));
        if (options.Proxies.Count > 0)
        {
            var forwarded = new ForwardedHeadersOptions
            {
                ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost,
                ForwardLimit = 1,
            };
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in options.Proxies) forwarded.KnownIPNetworks.Add(proxy);
            application.UseForwardedHeaders(forwarded);
        }

        var access = new ServiceAccess(options, operatorKey, events, clock);
        application.Use(next => context => access.GuardAsync(context, next));
        if (options.SignIn is not null) application.UseAuthentication(); // takes browsers back from the provider
    }

    // What breaks one answer is said in the log, and breaks nothing else.
    private static async Task AnswerAsync(HttpContext context, RequestDelegate next, ServiceEvents events)
    {
        try
        {
            await next(context);
        }
        catch (Exception fault) when (fault is not (OperationCanceledException or BadHttpRequestException))
        {
            events.Failed(context.Request.Path, fault);
            if (context.Response.HasStarted) throw;
            await ServiceAccess.RefuseAsync(context, 500, "This could not be answered; the service's log says why.");
        }
    }

    /// <summary>Signals are the program's business.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
