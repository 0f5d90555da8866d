using System.Globalization;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;
using Distill.Storage;
using Distill.Teacher.Remote.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Distill.Pipeline.Tests.Faults;

/// <summary>
/// Four recipes are run by schedules, one of them by workers, while everything fails that can. At the end every time that came due has
/// been run once, to the bytes of a calm run, and nobody was paid for more than what a kill interrupted. <c>DISTILL_FAULT_MINUTES</c> says
/// how long; without it each fault comes once or twice.
/// </summary>
public sealed class FaultyNightTests
{
    private const int Problems = 40, Concurrency = 4;

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private static double Minutes =>
        double.TryParse(Environment.GetEnvironmentVariable("DISTILL_FAULT_MINUTES"), CultureInfo.InvariantCulture, out double minutes)
            ? minutes : 0;

    [Fact]
    public async Task Whatever_fails_every_scheduled_run_is_complete_once_with_the_digests_of_a_calm_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The faults are those of Linux.");
        await using var endpoint = await ChatServer.StartAsync(Answer);
        using var night = new ScheduledNight(megabytes: 900 + (int)(20 * Minutes));
        WriteRecipes(night, endpoint.Address);
        await night.StartAsync(Ending);
        night.IsUp.ShouldBeTrue(night.LastWords);
        await UntilAsync(night, () => Names.All(name => night.Store.SeenUntil(name) is not null));
        // What came due while the server was starting is nobody's.
        var seen = Names.ToDictionary(name => name, name => night.Store.SeenUntil(name)!.Value);
        foreach (string schedule in Names)
            Asked.Make(night.Store, new() { Name = schedule, Resource = LabelOf(schedule) }, TimeProvider.System);

        var faults = new FaultSequence(night, new Random(20_26), Minutes > 0 ? TimeSpan.FromMinutes(Minutes) : null);
        await faults.RunAsync(Ending);
        var until = night.Now;
        await UntilAsync(night, () => Names.All(name => IsOver(night, name, until)));
        await night.TerminateServerAsync(Ending);

        foreach (string name in Names) CheckOccurrences(night, name, seen[name], until);
        faults.Interruptions.ShouldBeGreaterThan(3);
        CheckRequests(endpoint, faults);
        int digests = CompareWithCalm(night, until);
        string runs = string.Join(", ", Names.Select(name => $"{name} {Until(night, name, until).Count}"));
        TestContext.Current.TestOutputHelper?.WriteLine($"{string.Join('\n', faults.Told)}\n{faults.Told.Count} faults, "
            + $"{faults.Interruptions} chances to break a run off; runs: {runs}; {digests} equal digests; {endpoint.Calls.Count} requests");
    }

    private static readonly string[] Names = ["data", "paid", "small", "shared"];

    private static string LabelOf(string schedule) => schedule switch { "small" => "gpu", "shared" => "workers", _ => "cpu" };

    private static void WriteRecipes(ScheduledNight night, string endpoint)
    {
        string small = SmallRun.Text.Replace("seed: 3\n", "seed: 3\nanswer_only: { enabled: false }\n", StringComparison.Ordinal)
            .Replace("train: 48", $"train: {Problems}", StringComparison.Ordinal);
        night.File("small.yaml", small);
        string data = small.Replace("rl: { steps: 2,", "rl: { steps: 0,", StringComparison.Ordinal);
        night.File("data.yaml", data);
        night.File("shared.yaml", data);
        night.File("paid.yaml", data.Replace(
            $"{{ model: {RepositoryFolder.Root}/teacher/models/tiny-reasoner, samples: 1, max_tokens: 96, slots: 16 }}",
            $"{{ endpoint: '{endpoint}', network: loopback, model: thinker, samples: 1, max_tokens: 96, concurrency: {Concurrency} }}",
            StringComparison.Ordinal).Replace("problems:\n", "problems:\n  seed: 3\n", StringComparison.Ordinal));
        string schedules = string.Join('\n', Names.Select(name =>
            $"  - {{ name: {name}, recipe: {name}.yaml, resource: {LabelOf(name)}, cron: '{Cron}', overlap: queue, catch_up: all, "
            + $"set: {{ seed: '{(name == "shared" ? "9" : "")}{{date:MMddHHmm}}' }}, fleet: {(name == "shared" ? "true" : "false")}, "
            + "retries: { attempts: 100, delay_minutes: 0, on: [fault, crash] } }"));
        night.File("schedules.yaml", $"schedules:\n{schedules}\n");
    }

    // On the hour, to which the clock jumps; by the real clock when there is time to wait for it.
    private static string Cron => Minutes > 0 ? "*/10 * * * *" : "0 * * * *";

    private static readonly Lazy<IReadOnlyDictionary<string, Problem>> Known = new(() =>
        ProblemSet.Generate([new ProblemSetPart("arithmetic", 1, 1), new ProblemSetPart("words", 1, 1)], 3, Split.Train, Problems)
            .ToDictionary(problem => problem.Text));

    // The paid recipe has the same problems every time, and asks anew since its teacher's seed is another one.
    private static Task Answer(HttpContext context, int number, ChatCall call) =>
        Answers.Streamed(Known.Value[call.Prompt].ReferenceAnswer, "It is so.")(context);

    private static bool IsOver(ScheduledNight night, string schedule, DateTimeOffset until) =>
        night.Store.SeenUntil(schedule) >= until - TimeSpan.FromMinutes(5) // how often it is noted when nothing is due
        && Until(night, schedule, until).All(one => one.Closed is not null);

    // Others may have come due while these were waited for.
    private static IReadOnlyList<Occurrence> Until(ScheduledNight night, string schedule, DateTimeOffset until) =>
        [.. night.Store.List(schedule).Where(one => one.Due <= until)];

    private static async Task UntilAsync(ScheduledNight night, Func<bool> condition)
    {
        while (!condition())
        {
            if (!night.IsUp) await night.StartAsync(Ending); // as systemd would
            night.StartWorkers();
            await Task.Delay(200, Ending);
        }
    }

    private static void CheckOccurrences(ScheduledNight night, string schedule, DateTimeOffset from, DateTimeOffset until)
    {
        var all = Until(night, schedule, until);
        var due = CronTimes.Parse(Cron, "UTC").Between(from, until).ToList();
        // A clock that is put back before the beginning brings times that nobody had seen: those may be there too.
        all.Where(one => one.Cause != OccurrenceCause.Asked && one.Due > from).Select(one => one.Due).ShouldBe(due, schedule);
        all.Count(one => one.Cause == OccurrenceCause.Asked).ShouldBe(1);
        foreach (var one in all)
        {
            string words = string.Join("; ", one.Attempts.Select(attempt => $"{attempt.End} {attempt.Stage} {attempt.Message}"));
            one.State.ShouldBe(OccurrenceState.Finished, $"{one.Run}: {one.Reason} ({words})");
            one.Attempts.Count(attempt => attempt.End == AttemptEnd.Finished).ShouldBe(1, $"{one.Run}: {words}");
            var traces = Directory.GetFiles(Path.Combine(night.Runs, one.Run, "2-traces", "data")).SelectMany(file => TraceFile.Read(file));
            var rows = traces.Select(trace => (trace.Problem.Id, trace.SampleIndex)).ToList();
            rows.Count.ShouldBe(Problems, one.Run);
            rows.Distinct().Count().ShouldBe(Problems, one.Run);
        }
    }

    // A request that was under way when its run was killed or frozen has to be made again, and no other.
    private static void CheckRequests(ChatServer endpoint, FaultSequence faults)
    {
        int distinct = endpoint.Calls.Select(call => call.Body.ToJsonString()).Distinct().Count();
        (endpoint.Calls.Count - distinct).ShouldBeLessThanOrEqualTo(faults.Interruptions * Concurrency);
    }

    /// <returns>Digests of stages that were compared.</returns>
    private static int CompareWithCalm(ScheduledNight night, DateTimeOffset until)
    {
        int digests = 0;
        using var calm = new TemporaryFolder();
        foreach (var one in Names.SelectMany(name => Until(night, name, until)))
        {
            var recipe = RecipeFile.Parse(
                File.ReadAllText(Path.Combine(night.Runs, one.Run, "recipe.yaml")), "recipe.yaml", RepositoryFolder.Root, []);
            PipelineRun.Run(
                recipe, new RunOptions { RunsFolder = calm.Path, Name = one.Run }, new RecordingObserver(), TimeProvider.System, Ending);
            string made = SmallRun.LockOf(calm, one.Run);
            SmallRun.LockOf(night.Runs, one.Run).ShouldBe(made, $"{one.Run}: {Difference(night.Runs, calm.Path, one.Run)}");
            digests += made.Split("\"output\"").Length - 1;
        }

        return digests;
    }

    // What is small and not equal, whole: a digest alone does not say what went wrong in a night that nobody can repeat.
    private static string Difference(string runs, string calm, string name)
    {
        string Text(string root, string file) =>
            File.Exists(Path.Combine(root, name, file)) ? File.ReadAllText(Path.Combine(root, name, file)) : "";
        var files = Directory.GetDirectories(Path.Combine(calm, name))
            .SelectMany(folder => Directory.GetFiles(folder, "*.json").Where(file => !ManifestFile.IsManifest(Path.GetFileName(file))))
            .Select(file => Path.GetRelativePath(Path.Combine(calm, name), file)).Where(file => Text(runs, file) != Text(calm, file));
        return string.Join('\n', files.Select(file => $"{file}\n{Text(runs, file)}\n{Text(calm, file)}"));
    }
}
