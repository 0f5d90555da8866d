using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Service.Running;
using Distill.Storage;

namespace Distill.Service.Fleet;

/// <summary>Of a <see cref="WorkerService"/>.</summary>
internal sealed record WorkerOptions
{
    /// <summary>Folder of runs that all workers see.</summary>
    public required string Store { get; init; }

    public required IReadOnlyList<string> Queues { get; init; }

    /// <summary>Null leaves it to the recipe and the machine.</summary>
    public string? Device { get; init; }

    /// <summary>Connection string of the queue's database.</summary>
    public required string Postgres { get; init; }

    /// <summary>How long another worker may be silent before its work is given to others.</summary>
    public TimeSpan Patience { get; init; } = WorkerWatch.Patience;
}

/// <summary>
/// What <c>distill worker</c> starts: takes work from the queue until it is stopped. Waits for a database that is not there, at the start
/// and later on; what is at work goes on meanwhile.
/// </summary>
/// <param name="open">A run as this machine sees it.</param>
/// <param name="said">Told what is worth noting down, without secrets; from any thread.</param>
internal sealed class WorkerService(WorkerOptions options, Func<string, SharedRun> open, TimeProvider clock, Action<string> said)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2), Remind = TimeSpan.FromMinutes(1);

    /// <summary>Returns when it is stopped, within ten seconds of that.</summary>
    /// <param name="hands">Makes the work, for a worker of this name.</param>
    /// <param name="started">Told when it takes work.</param>
    /// <exception cref="RunRefusedException">The folder's file system is none to share a store on.</exception>
    /// <exception cref="IOException">The folder cannot be written to, the device has a worker, or the connection string is
    /// none.</exception>
    public async Task RunAsync(Func<string, HandsProcess> hands, Action<WorkerNote> started, CancellationToken cancellation)
    {
        var secrets = new SecretText(((string?[])[options.Postgres, RunQueue.PasswordOf(options.Postgres)]).OfType<string>());
        var folder = new FleetFolder(options.Store);
        StoreAdmission.Require(
            new ArtifactStore(Path.Combine(folder.RunsFolder, ArtifactStore.FolderName), clock), said, cancellation);
        using var place = WorkerPlace.Take(folder, options.Queues, options.Device, clock);
        if (await OpenAsync(place, text => said(secrets.Without(text)), cancellation).ConfigureAwait(false) is not { } storage) return;
        var (orders, queue) = (new Orders(folder, clock), new FleetQueue(storage));
        var watch = new WorkerWatch(folder, clock, options.Patience);
        var desk = new ClaimDesk(watch, clock);
        var dispatcher = new Dispatcher(folder, orders, queue, open, watch, desk, text => said(secrets.Without(text)));
        await using var maker = hands(place.Note.Name);
        using var worker = new FleetWorker(place, orders, dispatcher, desk, queue, maker, clock, text => said(secrets.Without(text)));
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var looking = worker.LookAsync(stopping.Token);
        using var server = new FleetServer(storage, options.Queues, worker);
        using var stop = cancellation.Register(server.Stop);
        started(place.Note);
        if (place.Former is { } former) worker.TakeOver(former);
        await looking.ConfigureAwait(false); // until it is stopped
    }

    /// <returns>Null where it was stopped while it waited.</returns>
    private async Task<Hangfire.JobStorage?> OpenAsync(WorkerPlace place, Action<string> say, CancellationToken cancellation)
    {
        long? reminded = null;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var storage = RunQueue.StorageOf(options.Postgres);
                place.Write(note => note with { Trouble = null });
                return storage;
            }
            catch (QueueUnreachableException fault)
            {
                if (reminded is not { } last || clock.GetElapsedTime(last) >= Remind)
                {
                    say($"{fault.Message} Waiting for it.");
                    reminded = clock.GetTimestamp();
                }

                place.Write(note => note with { Trouble = "waits for the database of the queue" });
            }

            try
            {
                await Task.Delay(Again, clock, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // Stopped while it waited.
            }
        }

        return null;
    }
}
