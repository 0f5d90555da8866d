using System.Collections.Concurrent;
using System.Data.Common;
using Distill.Service.Occurrences;
using Hangfire;
using Hangfire.Common;
using Hangfire.InMemory;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Hangfire.States;
using Npgsql;

namespace Distill.Service.Running;

/// <summary>
/// Hangfire's queues, one for each resource label with one worker each: of the runs with a label one is at work. In memory, or in
/// PostgreSQL. A job is a schedule's and an occurrence's name and nothing else; whether it is still to be done, the files say.
/// Thread-safe; dispose it after the runs were told to stop.
/// </summary>
internal sealed class RunQueue : IOccurrenceQueue, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(9), Poll = TimeSpan.FromSeconds(2), Slowly = TimeSpan.FromMinutes(1);

    // Half of it is the longest that a database may be gone before a job is thought to be abandoned and is started again, which finds its
    // resource held.
    private static readonly TimeSpan Invisibility = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, BackgroundJobServer> servers = new(StringComparer.Ordinal);
    private readonly BackgroundJobClient client;
    private readonly Lock gate = new();
    private Func<OccurrenceJob>? job;

    public RunQueue(JobStorage storage)
    {
        Storage = storage;
        client = new BackgroundJobClient(storage) { RetryAttempts = 0 };
    }

    public JobStorage Storage { get; }

    /// <param name="postgres">Connection string; null for a queue in memory.</param>
    /// <exception cref="IOException">The database cannot be used.</exception>
    public static RunQueue Open(string? postgres) => new(postgres is null ? new InMemoryStorage() : StorageOf(postgres));

    /// <summary>The database, with what Hangfire needs in it.</summary>
    /// <exception cref="QueueUnreachableException">It cannot be used now.</exception>
    /// <exception cref="IOException">It can never be.</exception>
    public static JobStorage StorageOf(string postgres)
    {
        if (Parsed(postgres) is null) // what the reader says of it would quote it
            throw new IOException("The database of the queue cannot be used: its connection string is none. "
                + "It looks like 'Host=…;Database=…;Username=…;Password=…'.");
        var options = new PostgreSqlStorageOptions
        {
            SchemaName = "distill", UseSlidingInvisibilityTimeout = true, InvisibilityTimeout = Invisibility, QueuePollInterval = Poll,
            AllowDegradedModeWithoutStorage = false, StartupConnectionMaxRetries = 3, // some seconds: a system starts both at once
        };
        try
        {
            return new PostgreSqlStorage(new NpgsqlConnectionFactory(postgres, options), options);
        }
        catch (Exception fault) when (fault is DbException or ArgumentException or InvalidOperationException or TimeoutException)
        {
            throw new QueueUnreachableException($"The database of the queue cannot be used: {fault.GetBaseException().Message}", fault);
        }
    }

    /// <summary>The password of a connection string; null where it has none.</summary>
    public static string? PasswordOf(string? postgres) => postgres is null ? null : Parsed(postgres)?.Password;

    private static NpgsqlConnectionStringBuilder? Parsed(string postgres)
    {
        try
        {
            return new(postgres);
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>From now on jobs are done.</summary>
    /// <param name="create">Who does one.</param>
    public void Start(Func<OccurrenceJob> create) => job = create;

    public string Enqueue(Occurrence occurrence)
    {
        ServeLabel(occurrence.Resource);
        return client.Create(
            Job.FromExpression<OccurrenceJob>(job => job.DoAsync(occurrence.Schedule, occurrence.Name)),
                new EnqueuedState(occurrence.Resource));
    }

    /// <exception cref="DbException">It cannot be reached.</exception>
    public bool Holds(string ticket)
    {
        using var connection = Storage.GetConnection();
        string? state = connection.GetJobData(ticket)?.State;
        return state == EnqueuedState.StateName || state == ProcessingState.StateName;
    }

    /// <exception cref="DbException">It cannot be reached.</exception>
    public void Check() => Storage.GetMonitoringApi().Servers();

    public void Dispose()
    {
        foreach (var server in servers.Values) server.SendStop();
        foreach (var server in servers.Values) server.Dispose();
    }

    private void ServeLabel(string label)
    {
        lock (gate)
        {
            if (servers.ContainsKey(label)) return;
            servers[label] = new BackgroundJobServer(
                new BackgroundJobServerOptions
                {
                    ServerName = $"distill-{label}", Queues = [label], WorkerCount = 1, Activator = new Jobs(this),
                    ShutdownTimeout = Patience, StopTimeout = Patience, SchedulePollingInterval = Slowly, ServerCheckInterval = Slowly,
                    CancellationCheckInterval = Slowly,
                }, Storage);
        }
    }

    private sealed class Jobs(RunQueue queue) : JobActivator
    {
        public override object ActivateJob(Type jobType) =>
            jobType == typeof(OccurrenceJob) && queue.job is { } create ? create()
                : throw new InvalidOperationException($"The queue holds a job of the type {jobType.Name}, which is none of ours.");
    }
}

/// <summary>The database does not answer, or not as it should.</summary>
internal sealed class QueueUnreachableException(string message, Exception inner) : IOException(message, inner);

/// <summary>What a worker of the queue does with an occurrence. The service retries by itself, with reasons; the queue never
/// does.</summary>
[AutomaticRetry(Attempts = 0, OnAttemptsExceeded = AttemptsExceededAction.Delete)]
internal sealed class OccurrenceJob(OccurrenceRunner runner, Action<string, string> returned, CancellationToken stopping)
{
    public async Task DoAsync(string schedule, string name)
    {
        try
        {
            await runner.CarryOnAsync(schedule, name, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // It is handed out again after the restart.
        }
        finally
        {
            returned(schedule, name);
        }
    }
}
