using Distill.Pipeline.Tests.Service;
using Distill.Pipeline.Watching;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;
using Distill.Service.Running;

namespace Distill.Pipeline.Tests.Watching;

/// <summary>A service whose runs are scripts, over HTTP, with a log. Dispose it.</summary>
internal sealed class WatchedService : IAsyncDisposable
{
    private readonly ScheduleService service;
    private readonly StringWriter log;
    private readonly TextWriter gate; // locks itself while it writes

    private WatchedService(ScheduleService service, StringWriter log, TextWriter gate, TemporaryFolder folder)
    {
        (this.service, this.log, this.gate) = (service, log, gate);
        Store = new OccurrenceStore(folder.File("runs"));
    }

    public OccurrenceStore Store { get; }

    public Uri Address => service.Address;

    public string? KeyFile => service.KeyFile;

    public string Log
    {
        get
        {
            lock (gate) return log.ToString();
        }
    }

    public static async Task<WatchedService> Start(
        TemporaryFolder folder, Func<ServiceOptions, ServiceOptions>? change = null, IDistillProgram? program = null,
        TimeProvider? clock = null)
    {
        if (!File.Exists(Path.Combine(folder.Path, "schedules.yaml")))
            folder.File("schedules.yaml", SampleSchedules.Text.Replace("- { name: team, webhook_env: TEAM_HOOK, style: slack }",
                "- { name: team, command: /bin/true }", StringComparison.Ordinal));
        var options = new ServiceOptions { RunsFolder = folder.File("runs"), SchedulesFile = folder.File("schedules.yaml"), Port = 0 };
        clock ??= TimeProvider.System;
        var log = new StringWriter();
        var gate = TextWriter.Synchronized(log);
        var started = await ScheduleService.StartAsync(
            change?.Invoke(options) ?? options, program ?? new ScriptedProgram(0), clock, TestContext.Current.CancellationToken,
            scrub => new StructuredLog(gate, LogForm.Json, clock, scrub));
        return new(started, log, gate, folder);
    }

    /// <summary>Does not follow redirects.</summary>
    /// <param name="key">Sent with everything; null for none.</param>
    public HttpClient Client(string? key = null, HttpMessageHandler? handler = null)
    {
        var client = new HttpClient(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await service.StopAsync();
        await service.DisposeAsync();
    }
}
