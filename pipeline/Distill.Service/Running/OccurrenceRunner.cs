using System.Diagnostics;
using Distill.Data.Telemetry;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;
using Distill.Service.Fleet;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;
using Distill.Service.Watching;
using Distill.Storage;

namespace Distill.Service.Running;

/// <summary>
/// Carries an occurrence on, from wherever it is, until it is over, has to wait, or the service stops. May be asked for the same occurrence
/// any number of times, at once too and from several processes: its resource is held by one, and who comes later finds what was done.
/// </summary>
internal sealed class OccurrenceRunner(
    OccurrenceStore store, ScheduleBook book, IDistillProgram program, FollowUps followUps, LiveRuns live, SecretText secrets,
    TimeProvider clock, ServiceEvents? events = null)
{
    private readonly ServiceEvents events = events ?? ServiceEvents.OfNobody;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500), Look = TimeSpan.FromSeconds(1);

    /// <param name="stopping">Stops the run at a safe point; the next call goes on.</param>
    /// <exception cref="OperationCanceledException">Stopped while it waited.</exception>
    public async Task CarryOnAsync(string schedule, string name, CancellationToken stopping)
    {
        if (store.Find(schedule, name) is not { Closed: null } first) return;
        using var held = await TakeAsync(first.Resource, first.Run, stopping).ConfigureAwait(false);
        // A run whose service was killed goes on without it, and has its resource still.
        while (IsInUse(first)) await Task.Delay(Look, clock, stopping).ConfigureAwait(false);
        if (store.Find(schedule, name) is not { Closed: null } occurrence) return; // another one was faster
        if (occurrence.IsOpen)
        {
            occurrence = await AdvanceAsync(occurrence, stopping).ConfigureAwait(false);
            store.Write(occurrence);
            if (occurrence.IsOpen) return;
        }

        await CloseAsync(occurrence, stopping).ConfigureAwait(false);
    }

    private async Task<FileLock> TakeAsync(string label, string run, CancellationToken stopping)
    {
        while (true)
        {
            if (FileLock.TryTake(store.ResourceLock(label), $"run '{run}', process {Environment.ProcessId}") is { } taken) return taken;
            await Task.Delay(Pause, clock, stopping).ConfigureAwait(false); // a file lock offers nothing to wait on
        }
    }

    // What workers have of it itself is carried on; what they have of another one is waited for.
    private bool IsInUse(Occurrence own) => store.Schedules().SelectMany(store.List).Any(one =>
        one is { Closed: null, Attempts.Count: > 0 } && one.Resource == own.Resource
        && new RunFolder(store.RunsFolder, one.Run) is var folder && (folder.IsLocked() || (one.Run != own.Run && folder.IsWithWorkers)));

    private async Task<Occurrence> AdvanceAsync(Occurrence occurrence, CancellationToken stopping)
    {
        if (store.IsCancelAsked(occurrence)) return Over(occurrence, "a newer one is due");
        if (book.Find(occurrence.Schedule) is not { } schedule) return Over(occurrence, "its schedule is no longer in the file");
        var folder = new RunFolder(store.RunsFolder, occurrence.Run);
        occurrence = Reviewed(occurrence, folder, schedule);
        occurrence = AttemptRules.Clamped(occurrence, schedule.Retries, clock.GetUtcNow());
        if (!occurrence.IsOpen || occurrence.NotBefore > clock.GetUtcNow()) return occurrence;
        occurrence = occurrence with
        {
            State = OccurrenceState.Running, Reason = null, NotBefore = null,
            Attempts = [.. occurrence.Attempts, new Attempt(clock.GetUtcNow())],
        };
        store.Write(occurrence);
        events.AttemptStarted(occurrence);
        using var span = BeginSpan(occurrence);
        var ended = await AttemptAsync(occurrence, schedule, folder, stopping).ConfigureAwait(false);
        span?.SetTag(Instruments.Attribute.Outcome, ended.End?.ToString().ToLowerInvariant());
        if (ended.IsFailure) span?.SetStatus(ActivityStatusCode.Error);
        events.AttemptEnded(occurrence, ended);
        return AttemptRules.After(occurrence, ended, schedule.Retries, clock.GetUtcNow());
    }

    private static Activity? BeginSpan(Occurrence occurrence)
    {
        var span = Instruments.Spans.StartActivity(Instruments.Span.Attempt);
        span?.SetTag(Instruments.Attribute.Schedule, occurrence.Schedule);
        span?.SetTag(Instruments.Attribute.Run, occurrence.Run);
        return span?.SetTag(Instruments.Attribute.Attempt, occurrence.Attempts.Count);
    }

    // Workers may have it from before the service was started anew.
    private Occurrence Over(Occurrence occurrence, string reason)
    {
        FleetRun.Stop(store.RunsFolder, occurrence.Run, reason, clock);
        return occurrence with { State = OccurrenceState.Cancelled, Reason = reason, NotBefore = null };
    }

    /// <summary>What became of an attempt whose service did not live to note it.</summary>
    private Occurrence Reviewed(Occurrence occurrence, RunFolder folder, ScheduleSection schedule)
    {
        if (occurrence.Attempts is not [.., { End: null } unfinished]) return occurrence;
        var state = RunState.TryRead(folder.Path);
        var (end, message) = state switch
        {
            { Verdict: RunVerdict.Refused } => (AttemptEnd.Gate, state.Reason ?? "a gate refused"),
            { Verdict: RunVerdict.EndedEarly } => (AttemptEnd.Early, state.Reason),
            { Progress: RunProgress.Finished } => (AttemptEnd.Finished, null),
            { Progress: RunProgress.Failed } => (AttemptEnd.Fault, state.Reason),
            // Workers went on without the service, and have it still.
            _ when folder.IsWithWorkers => (AttemptEnd.Stopped, "the service was stopped"),
            { Progress: RunProgress.Stopped } => (AttemptEnd.Stopped, "the service was stopped"),
            _ => AttemptRules.WithoutWord(occurrence.Attempts.SkipLast(1)),
        };
        var ended = unfinished with { Ended = state?.Changed ?? clock.GetUtcNow(), End = end, Message = Scrubbed(message) };
        return AttemptRules.After(occurrence, ended, schedule.Retries, clock.GetUtcNow());
    }

    private async Task<Attempt> AttemptAsync(
        Occurrence occurrence, ScheduleSection schedule, RunFolder folder, CancellationToken stopping)
    {
        var words = new RunWords(clock, secrets);
        using var limit = new CancellationTokenSource();
        using var cancel = new CancellationTokenSource();
        using var any = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token, cancel.Token);
        var (began, longest) = (clock.GetTimestamp(), TimeSpan.FromHours(schedule.LimitHours));
        var watch = clock.CreateTimer(_ => LookAfter(), null, Look, Look);
        await using var watched = watch.ConfigureAwait(false); // waits for a look that is under way
        using var shown = live.Show(occurrence.Run, words);
        using var log = new RunLog(store.LogPath(occurrence), clock);
        var (end, message) = (AttemptEnd.Fault, (string?)null);
        try
        {
            int code = await program.RunAsync(Arguments(occurrence, schedule, folder), Say, any.Token).ConfigureAwait(false);
            var (cancelled, late) = (cancel.IsCancellationRequested, limit.IsCancellationRequested);
            bool stopped = !cancelled && !late && await IsStoppingAsync(code, stopping).ConfigureAwait(false);
            (end, message) = Meaning(code, words, cancelled, late, stopped);
            if (cancelled || late) FleetRun.Stop(store.RunsFolder, occurrence.Run, message ?? "stopped", clock);
            if (end == AttemptEnd.Finished && RunState.TryRead(folder.Path) is { Verdict: RunVerdict.EndedEarly } state)
                (end, message) = (AttemptEnd.Early, state.Reason);
        }
        catch (IOException fault)
        {
            message = fault.Message;
        }

        log.Line(message is null ? $"ended: {end}" : $"ended: {end}, {secrets.Without(message)}");
        live.Keep(occurrence.Run, words);
        return occurrence.Attempts[^1] with
        {
            Ended = clock.GetUtcNow(), End = end, Stage = end is AttemptEnd.Finished or AttemptEnd.Early ? null : words.Stage,
            Message = Scrubbed(message),
        };

        // Not a timer of so many hours: those wait for 49 days at most.
        void LookAfter()
        {
            if (store.IsCancelAsked(occurrence)) cancel.Cancel();
            if (longest > TimeSpan.Zero && clock.GetElapsedTime(began) >= longest) limit.Cancel();
        }

        void Say(SpokenLine line)
        {
            if (words.Hear(line) is not { } text) return;
            log.Line(text);
            events.Said(occurrence, words.Stage, text);
        }
    }

    private string? Scrubbed(string? message) => message is null ? null : secrets.Without(message);

    private IReadOnlyList<string> Arguments(Occurrence occurrence, ScheduleSection schedule, RunFolder folder)
    {
        // A run that was begun keeps the recipe that it was begun with.
        if (RunState.TryRead(folder.Path) is not null && File.Exists(folder.RecipePath))
            return ["resume", occurrence.Run, "--runs", store.RunsFolder, "--json", .. FleetWords(schedule)];
        var day = TimeZoneInfo.ConvertTime(occurrence.Due, TimeZoneInfo.FindSystemTimeZoneById(schedule.TimeZone)).DateTime;
        var overrides = schedule.OverridesOn(day).SelectMany(text => (string[])["--set", text]);
        return
        [
            "run", schedule.Recipe, "--name", occurrence.Run, "--runs", store.RunsFolder, "--json", .. overrides, .. FleetWords(schedule),
        ];
    }

    private static string[] FleetWords(ScheduleSection schedule) => schedule.Fleet ? [DistillProgram.FleetOption] : [];

    // Ctrl-C reaches a run before its service has noticed.
    private async Task<bool> IsStoppingAsync(int code, CancellationToken stopping)
    {
        if (code == 130 && !stopping.IsCancellationRequested) await Task.Delay(Pause, clock, CancellationToken.None).ConfigureAwait(false);
        return stopping.IsCancellationRequested;
    }

    private static (AttemptEnd End, string? Message) Meaning(int code, RunWords words, bool cancelled, bool late, bool stopped) =>
        code switch
    {
        0 => (AttemptEnd.Finished, null),
        1 => (AttemptEnd.Fault, words.Fault ?? "it ended with a fault and did not say which"),
        2 when words.IsBusy => (AttemptEnd.Busy, words.Fault),
        2 when words.IsOfMachine => (AttemptEnd.Fault, words.Fault),
        2 => (AttemptEnd.Invalid, words.Fault ?? "its recipe or its call is wrong"),
        3 => (AttemptEnd.Gate, words.Fault ?? "a gate refused"),
        _ when cancelled => (AttemptEnd.Cancelled, "a newer one is due"),
        _ when late => (AttemptEnd.Limit, "it took longer than limit_hours allows"),
        _ when stopped => (AttemptEnd.Stopped, "the service was stopped"),
        130 => (AttemptEnd.Fault, "it was interrupted from outside"),
        < 0 => (AttemptEnd.Crash, $"its process was ended by signal {-code}"),
        _ => (AttemptEnd.Crash, $"its process ended with code {code}"),
    };

    private async Task CloseAsync(Occurrence occurrence, CancellationToken stopping)
    {
        var words = live.Kept(occurrence.Run);
        await foreach (var done in followUps.DoAsync(occurrence, words, stopping).ConfigureAwait(false))
        {
            occurrence = occurrence with
            {
                Followed = done.IsDone ? [.. occurrence.Followed, done.Name] : occurrence.Followed,
                State = done.IsRefusal ? OccurrenceState.Refused : occurrence.State,
                Reason = done.Trouble is null ? occurrence.Reason : secrets.Without($"{occurrence.Reason} {done.Trouble}".Trim()),
            };
            store.Write(occurrence);
        }

        store.Write(occurrence with { Closed = clock.GetUtcNow() });
        events.Closed(occurrence);
        live.Forget(occurrence.Run);
    }
}
