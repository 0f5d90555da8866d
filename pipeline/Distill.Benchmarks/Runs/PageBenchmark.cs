using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Service.Hosting;
using Distill.Service.Running;

namespace Distill.Benchmarks.Runs;

internal sealed class PageBenchmark : IBenchmark
{
    private const double Most = 100; // milliseconds

    private static readonly string[] Pages = ["/", "/runs?page=10", "/runs/run-0500", "/runs?q=run-09&state=finished"];

    public string Name => "page";

    public string Summary => "pages of the service over 1,000 runs: asked for, made, received";

    public IReadOnlyList<Figure> Run(BenchmarkContext context) => RunAsync(context).GetAwaiter().GetResult();

    private static async Task<IReadOnlyList<Figure>> RunAsync(BenchmarkContext context)
    {
        using var folder = new TemporaryFolder();
        string runs = Path.Combine(folder.Path, "runs"), schedules = Path.Combine(folder.Path, "schedules.yaml");
        ShownRuns.Make(runs, context.Quick ? 100 : 1_000, context.Clock);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "recipe.yaml"), "name: nightly\n");
        await File.WriteAllTextAsync(schedules, "schedules: [ { name: nightly, recipe: recipe.yaml, cron: '0 2 * * *' } ]\n");
        var options = new ServiceOptions { RunsFolder = runs, SchedulesFile = schedules, Port = 0 };
        await using var service = await ScheduleService.StartAsync(options, new NoProgram(), context.Clock, CancellationToken.None);
        using var client = new HttpClient { BaseAddress = service.Address };
        var figures = new List<Figure>
        {
            Figure.Plain("first page after the start, which reads every run", new Series([await OnceAsync(context, client, "/")]), "ms"),
        };
        foreach (string page in Pages)
        {
            var times = new List<double>();
            for (int round = 0; round < (context.Quick ? 3 : 20); round++) times.Add(await OnceAsync(context, client, page));
            figures.Add(Figure.AtMost($"page {page}", Most, new Series(times), "ms"));
        }

        await service.StopAsync();
        return figures;
    }

    private static async Task<double> OnceAsync(BenchmarkContext context, HttpClient client, string page)
    {
        long start = context.Clock.GetTimestamp();
        using var response = await client.GetAsync(page);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
        return context.Clock.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Nothing is due while pages are measured.</summary>
    private sealed class NoProgram : IDistillProgram
    {
        public Task<int> RunAsync(IReadOnlyList<string> arguments, Action<SpokenLine> said, CancellationToken cancellation) =>
            Task.FromResult(0);
    }
}
