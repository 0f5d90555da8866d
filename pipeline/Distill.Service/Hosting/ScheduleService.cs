using System.Net;
using Distill.Data.Storage;
using Distill.Pipeline.Runs;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Pages;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Distill.Service.Hosting;

/// <summary>
/// What <c>distill serve</c> starts: the schedules, their runs, and the page. One process looks after a folder of runs. Reads no
/// configuration and logs nothing by itself. Stop it, then dispose it.
/// </summary>
internal sealed class ScheduleService : IAsyncDisposable
{
    private const long MostBody = 64 << 10;

    private readonly WebApplication application;
    private readonly ScheduleLoop loop;
    private readonly RunQueue queue;
    private readonly FileLock held;
    private readonly CancellationTokenSource stopping;

    private ScheduleService(WebApplication application, RunQueue queue, FileLock held, CancellationTokenSource stopping)
    {
        (this.application, this.queue, this.held, this.stopping) = (application, queue, held, stopping);
        loop = application.Services.GetRequiredService<ScheduleLoop>();
    }

    /// <summary>Where it answers, with the port that was free.</summary>
    public required Uri Address { get; init; }

    /// <summary>File with the key to act; null where one was given.</summary>
    public required string? KeyFile { get; init; }

    /// <summary>Ends when the service is stopped, or with the fault that keeps it from looking at its schedules any more.</summary>
    public Task Looking => loop.ExecuteTask ?? Task.CompletedTask;

    /// <param name="program">Starts runs.</param>
    /// <exception cref="ArgumentException">Impossible options, or open to others without a key.</exception>
    /// <exception cref="Distill.Pipeline.Recipes.InvalidRecipeException">The schedules are wrong.</exception>
    /// <exception cref="RunRefusedException">Another process looks after the folder.</exception>
    /// <exception cref="IOException">The port is taken, the folder cannot be written to, or the database cannot be used.</exception>
    public static async Task<ScheduleService> StartAsync(
        ServiceOptions options, IDistillProgram program, TimeProvider clock, CancellationToken cancellation)
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
                options, options.Key ?? OperatorKey.OfFile(store.KeyFile), book, store, queue, program, clock, stopping.Token);
            await application.StartAsync(cancellation);
            string bound = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            return new ScheduleService(application, queue, held, stopping) { Address = new Uri(bound), KeyFile = keyFile };
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
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        held.Dispose();
        stopping.Dispose();
    }

    private static WebApplication Build(
        ServiceOptions options, string operatorKey, ScheduleBook book, OccurrenceStore store, RunQueue queue, IDistillProgram program,
        TimeProvider clock, CancellationToken stopping)
    {
        var secrets = new SecretText(book, operatorKey, options.ReadKey, options.Postgres, RunQueue.PasswordOf(options.Postgres));
        var (live, health) = (new LiveRuns(), new ServiceHealth(store, book));
        var followUps = new FollowUps(store, book, program, new Notifiers(clock), secrets, clock);
        var runner = new OccurrenceRunner(store, book, program, followUps, live, secrets, clock);
        var loop = new ScheduleLoop(store, book, queue, health, clock);
        queue.Start(() => new OccurrenceJob(runner, loop.Returned, stopping));

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>().AddSingleton(loop).AddSingleton<IHostedService>(loop);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddRoutingCore().AddAntiforgery(form => form.Cookie.SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict);
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        // What the queue's page needs; AddHangfire would tie the process's log and storage to this host.
        builder.Services.AddSingleton<IGlobalConfiguration>(GlobalConfiguration.Configuration).AddSingleton(DashboardRoutes.Routes);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBody;
            kestrel.Listen(new IPEndPoint(options.Address, options.Port));
        });
        var application = builder.Build();
        var access = new ServiceAccess(options, operatorKey);
        application.Use(next => context => access.GuardAsync(context, next));
        var view = new ServiceView(store, book, live, health, secrets, clock);
        new ServiceEndpoints(view, store, book, health, clock).Map(application);
        application.UseHangfireDashboard(ServicePaths.Queue, new DashboardOptions
        {
            Authorization = [new QueuePageAccess()], AppPath = "/", DashboardTitle = "Distill: queue",
            IsReadOnlyFunc = context => !ServiceAccess.MayAct(context.GetHttpContext()),
        }, queue.Storage);
        return application;
    }

    /// <summary>Signals are the program's business.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
