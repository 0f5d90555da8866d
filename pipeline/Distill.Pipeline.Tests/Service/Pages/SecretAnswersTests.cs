using System.Net;
using System.Text;
using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Tests.Publishing;
using Distill.Pipeline.Tests.Watching;
using Distill.Service.Fleet;
using Distill.Service.Occurrences;
using Distill.Service.Pages;
using Distill.Service.Running;

namespace Distill.Pipeline.Tests.Service.Pages;

/// <summary>A secret is put into everything that the service shows, and looked for in everything that it answers.</summary>
public sealed class SecretAnswersTests : IDisposable
{
    private const string Variable = "ANSWERS_TEST_TOKEN", Recognized = "hunter2", Secret = "hunter2-&<hunter2>\"+x/hunter2";

    private readonly TemporaryFolder folder = SampleSchedules.Folder();
    private readonly SampleTraceStore store = new(problems: 4, recipe: $"# {Secret}\n", summary: $"made with {Secret}");

    public SecretAnswersTests() => Environment.SetEnvironmentVariable(Variable, Secret);

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, null);
        store.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task No_answer_holds_one()
    {
        folder.File("schedules.yaml", $$"""
            notifiers: [{ name: team, command: /bin/true }]
            schedules:
              - name: nightly
                recipe: nightly.yaml
                cron: "30 2 * * *"
                set: { traces.from: 'data/{{Secret}}' }
                then: { notify: team, promote: '{{folder.Path}}/{{Secret}}' }
            """);
        var occurrence = FillRun();
        await using var service = await WatchedService.Start(folder, options => options with { RunsFolder = store.Runs });
        using var client = service.Client();
        foreach (string path in Paths(occurrence))
        {
            using var answer = await client.GetAsync(path, Ending);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            (await answer.Content.ReadAsStringAsync(Ending)).ShouldNotContain(Recognized, Case.Sensitive, path);
        }

        foreach (string path in (string[])["/fleet", "/runs/sample/report.html", "/schedules/nightly", "/store", "/runs/sample/lineage"])
            (await client.GetStringAsync(path, Ending)).ShouldContain("[secret]", Case.Sensitive, path); // it was to be seen there
    }

    [Fact]
    public async Task Files_are_shown_whole_however_long_their_lines_are()
    {
        var scrubbed = new ScrubbedAnswers(new SecretText([Secret]));
        string text = string.Concat(Enumerable.Repeat("äbc ", 200_000)) + Secret + "\n"
            + string.Concat(Enumerable.Range(0, 50_000).Select(i => $"line {i} {(i % 1_000 == 0 ? Secret : "ü")}\n")) + "end " + Secret;
        using var from = new MemoryStream(Encoding.UTF8.GetBytes(text));
        using var to = new MemoryStream();
        await scrubbed.CopyAsync(from, to, Ending);
        Encoding.UTF8.GetString(to.ToArray()).ShouldBe(text.Replace(Secret, "[secret]", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Paths(Occurrence occurrence) =>
    [
        "/", "/runs", "/models", "/store", "/fleet", "/queue", "/health", "/health/ready", "/health/live", "/metrics",
        "/schedules/nightly", $"/schedules/nightly/{occurrence.Name}/log", "/compare", "/compare?a=sample&b=sample",
        "/api/overview", "/api/schedules", "/api/schedules/nightly", "/api/runs", "/api/models", "/api/store", "/api/fleet",
        "/api/compare?a=sample&b=sample",
        .. ((string[])["", "/log", "/lineage", "/traces", "/traces?at=0"]).SelectMany(part => (string[])
            [$"/runs/sample{part}", $"/api/runs/sample{part}"]),
        "/api/runs/sample/curves", "/runs/sample/card",
        .. ((string[])["report.html", "report.json", "run.lock.json", "metrics.jsonl", "recipe.yaml", "log.txt"])
            .Select(file => $"/runs/sample/{file}"),
    ];

    private Occurrence FillRun()
    {
        var run = new RunFolder(store.Runs, "sample");
        var now = DateTimeOffset.UtcNow;
        string json = JsonSerializer.Serialize(new { said = Secret });
        File.WriteAllText(Path.Combine(run.Path, "report.html"), $"<p>{WebUtility.HtmlEncode(Secret)}</p>\n");
        foreach (string file in (string[])["report.json", "run.lock.json"]) File.WriteAllText(Path.Combine(run.Path, file), json);
        File.WriteAllLines(run.MetricsPath, Enumerable.Range(0, 3).Select(step =>
            JsonSerializer.Serialize(new { stage = Secret, step, loss = 1 })));
        File.WriteAllText(run.LogPath, $"2026-11-28T02:00:00Z {Secret}\n");
        new ProgressFile(ProgressFile.CurrentFormat, now, now,
            [new StageProgressEntry(Secret, StageStanding.Done) { Reason = Secret, Summary = Secret }]).Write(run.Path);
        var occurrences = new OccurrenceStore(store.Runs);
        var occurrence = SampleSchedules.Waiting("2026-11-20T01:30Z") with
        {
            State = OccurrenceState.Failed, Reason = Secret, Closed = now, Attempts = [new(now, now, AttemptEnd.Fault, "traces", Secret)],
        };
        occurrences.TryCreate(occurrence);
        File.WriteAllText(occurrences.LogPath(occurrence), $"2026-11-28T02:00:00Z {Secret}\n");
        var fleet = new FleetFolder(store.Runs);
        fleet.Create();
        NoteFile.Write(fleet.WorkerNote("bench"), new WorkerNote("bench", "s", 1, "host-7", 4711, ["gpu"], null, now, now, 12)
        {
            Doing = new WorkAtHand("sample", "traces", 40, 60, now, Secret), Trouble = Secret,
        });
        return occurrence;
    }
}
