using Distill.Pipeline.Runs;
using Distill.Service.Occurrences;
using Distill.Service.Running;
using Distill.Service.Schedules;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Service;

/// <summary>One occurrence that is carried on over a program that is a script.</summary>
public abstract class CarriedOccurrence : IDisposable
{
    private protected readonly TemporaryFolder folder = SampleSchedules.Folder();
    private protected readonly FakeTimeProvider clock =
        new(SampleSchedules.Utc("2026-11-28T01:30Z")) { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) };
    private protected readonly RecordingNotifiers notifiers = new();
    private protected readonly OccurrenceStore store;

    private protected CarriedOccurrence() => store = new(folder.File("runs"));

    private protected static CancellationToken Ending => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected async Task<Occurrence> CarryOn(ScriptedProgram program, string? text = null, CancellationToken stopping = default)
    {
        string file = folder.File("schedules.yaml");
        if (!File.Exists(file)) folder.File("schedules.yaml", text ?? SampleSchedules.Text);
        var occurrence = SampleSchedules.Waiting("2026-11-28T01:30Z");
        store.TryCreate(occurrence);
        var (book, secrets) = (new ScheduleBook(file), new SecretText(["hunter2-hunter2", "abc"]));
        var runner = new OccurrenceRunner(
            store, book, program, new FollowUps(store, book, program, notifiers, secrets, clock), new LiveRuns(), secrets, clock);
        await runner.CarryOnAsync(occurrence.Schedule, occurrence.Name, stopping);
        return store.Find(occurrence.Schedule, occurrence.Name)!;
    }

    private protected Occurrence Unfinished(params Attempt[] before) => SampleSchedules.Waiting("2026-11-28T01:30Z") with
    {
        State = OccurrenceState.Running, Attempts = [.. before, new Attempt(clock.GetUtcNow())],
    };

    private protected void MakeRun(RunProgress progress, RunVerdict? verdict = null, string? reason = null)
    {
        string run = folder.File("runs/nightly-20261128t013000z");
        Directory.CreateDirectory(run);
        File.WriteAllText(Path.Combine(run, "recipe.yaml"), "name: nightly\n");
        new RunState(RunState.CurrentFormat, progress, null, run, reason, clock.GetUtcNow()) { Verdict = verdict }.Write(run);
    }
}
