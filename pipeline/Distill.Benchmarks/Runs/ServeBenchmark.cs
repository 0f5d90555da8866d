using System.Diagnostics;
using System.Text.Json;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Service.Hosting;
using Distill.Service.Occurrences;

namespace Distill.Benchmarks.Runs;

/// <summary>
/// <c>distill serve</c> as a process with nothing to do: its schedules ran once and are not due, nobody looks; then after somebody did.
/// </summary>
internal sealed class ServeBenchmark : IBenchmark
{
    private const double Megabyte = 1e6, MostMemory = 150, MostTime = 1; // percent of one core

    private static readonly string[] Names = ["nightly", "weekly", "training"];

    private static readonly string[] Pages = ["/", "/runs", "/runs?page=10", "/runs/run-0050", "/models", "/store", "/fleet", "/metrics"];

    public string Name => "serve";

    public string Summary => "memory and processor time of 'distill serve' over 1,000 runs with nothing to do";

    public IReadOnlyList<Figure> Run(BenchmarkContext context) => RunAsync(context).GetAwaiter().GetResult();

    private static async Task<IReadOnlyList<Figure>> RunAsync(BenchmarkContext context)
    {
        using var folder = new TemporaryFolder();
        string runs = Path.Combine(folder.Path, "runs"), schedules = Path.Combine(folder.Path, "schedules.yaml");
        int count = context.Quick ? 100 : 1_000;
        ShownRuns.Make(runs, count, context.Clock);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "recipe.yaml"), "name: nightly\n"); // refused at once, and not tried again
        await File.WriteAllTextAsync(schedules, "schedules:\n" + string.Concat(Names.Select(name =>
            $"  - {{ name: {name}, recipe: recipe.yaml, cron: '0 0 29 2 *', resource: {LabelOf(name)} }}\n")));
        using var service = BuiltProgram.Start("serve", "--schedules", schedules, "--runs", runs, "--port", "0", "--json");
        try
        {
            using var client = new HttpClient { BaseAddress = AddressOf(await service.StandardOutput.ReadLineAsync()) };
            await RunOnceAsync(new OccurrenceStore(runs), context.Clock);
            var (memory, time) = await IdleAsync(service, context);
            foreach (string page in Pages) (await client.GetAsync(page)).EnsureSuccessStatusCode().Dispose();
            var (looked, after) = await IdleAsync(service, context);
            bool isShared = Environment.GetEnvironmentVariable(ServiceOptions.PostgresVariable) is { Length: > 0 };
            string note = $"{count:N0} runs, {Names.Length} schedules that ran once, the queue in {(isShared ? "PostgreSQL" : "memory")}";
            return
            [
                Figure.AtMost("resident memory, idle", MostMemory, memory, "MB", note),
                Figure.AtMost("processor time, idle", MostTime, time, "%", "of one core; a quarter of a minute a value"),
                Figure.AtMost("resident memory, idle after its pages were looked at", MostMemory, looked, "MB",
                    "every kind of page once"),
                Figure.AtMost("processor time, idle after that", MostTime, after, "%"),
            ];
        }
        finally
        {
            service.Kill();
            await service.WaitForExitAsync();
        }
    }

    private static string LabelOf(string schedule) => schedule == "training" ? "gpu" : "cpu";

    private static Uri AddressOf(string? line)
    {
        using var said = JsonDocument.Parse(line ?? throw new InvalidOperationException("The service did not start."));
        return new Uri(said.RootElement.GetProperty("listening").GetString()!);
    }

    // What carries the work is started with the first of it.
    private static async Task RunOnceAsync(OccurrenceStore store, TimeProvider clock)
    {
        foreach (string name in Names)
        {
            while (store.SeenUntil(name) is null) await Task.Delay(TimeSpan.FromMilliseconds(100), clock);
            Asked.Make(store, new() { Name = name, Resource = LabelOf(name) }, clock);
        }

        while (Names.Any(name => store.List(name).Any(one => one.Closed is null))) await Task.Delay(TimeSpan.FromMilliseconds(100), clock);
    }

    private static async Task<(Series Memory, Series Time)> IdleAsync(Process service, BenchmarkContext context)
    {
        var (memory, time) = (new List<double>(), new List<double>());
        for (int round = 0; round < (context.Quick ? 1 : 4); round++)
        {
            service.Refresh();
            var (used, began) = (service.TotalProcessorTime, context.Clock.GetTimestamp());
            await Task.Delay(TimeSpan.FromSeconds(context.Quick ? 3 : 15), context.Clock);
            service.Refresh();
            memory.Add(service.WorkingSet64 / Megabyte);
            time.Add(100 * (service.TotalProcessorTime - used) / context.Clock.GetElapsedTime(began));
        }

        return (new(memory), new(time));
    }
}
