using System.Data.Common;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;

namespace Distill.Service.Fleet;

/// <summary>Hangfire's queues, as those who hand out work see them. Thread-safe.</summary>
internal sealed class FleetQueue(JobStorage storage) : IWorkQueue
{
    private readonly BackgroundJobClient client = new(storage) { RetryAttempts = 0 };

    public void Enqueue(FleetTask task, string queue) => Reach(() => client.Create(
        Job.FromExpression<FleetJob>(job => job.DoAsync(
            task.Run, task.Stage, task.Key, task.Range.First, task.Range.End, CancellationToken.None)),
        new EnqueuedState(QueueNames.InDatabase(queue))));

    public bool IsEmpty(string queue) =>
        Reach(() => storage.GetMonitoringApi().EnqueuedCount(QueueNames.InDatabase(queue)) == 0);

    private static T Reach<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception fault) when (fault is DbException or BackgroundJobClientException or TimeoutException)
        {
            throw new IOException($"The queue cannot be reached: {fault.GetBaseException().Message}", fault);
        }
    }
}

/// <summary>What a worker of the queue does. Attempts are counted by the workers' notes; the queue never repeats one.</summary>
[AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
internal sealed class FleetJob(FleetWorker worker)
{
    public Task DoAsync(string run, string stage, string key, int first, int end, CancellationToken cancellation) =>
        worker.DoAsync(new(run, stage, key, new(first, end)), cancellation);
}

/// <summary>Brings work from the queue to one worker, a piece at a time. Disposing it stops what is at work within ten seconds.</summary>
internal sealed class FleetServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(9), Slowly = TimeSpan.FromMinutes(1);

    private readonly BackgroundJobServer server;

    public FleetServer(JobStorage storage, IEnumerable<string> queues, FleetWorker worker) => server = new(
        new BackgroundJobServerOptions
        {
            ServerName = "distill-worker", Queues = [.. queues.Select(QueueNames.InDatabase)], WorkerCount = 1,
            Activator = new Jobs(worker), ShutdownTimeout = Patience, StopTimeout = Patience, SchedulePollingInterval = Slowly,
            ServerCheckInterval = Slowly, CancellationCheckInterval = Slowly,
        }, storage);

    /// <summary>Asks for its end without waiting.</summary>
    public void Stop() => server.SendStop();

    public void Dispose() => server.Dispose();

    private sealed class Jobs(FleetWorker worker) : JobActivator
    {
        public override object ActivateJob(Type jobType) => jobType == typeof(FleetJob) ? new FleetJob(worker)
            : throw new InvalidOperationException($"The queue holds a job of the type {jobType.Name}, which is none of ours.");
    }
}
