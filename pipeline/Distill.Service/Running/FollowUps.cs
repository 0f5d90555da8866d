using System.Runtime.CompilerServices;
using Distill.Pipeline.Runs;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;

namespace Distill.Service.Running;

/// <summary>One thing that was done after a run.</summary>
/// <param name="Trouble">What went wrong with it; null when nothing did.</param>
/// <param name="IsRefusal">A gate refused: what comes after it is not done.</param>
/// <param name="IsDone">Whether a restarted service must not do it again.</param>
internal sealed record FollowUp(string Name, string? Trouble, bool IsRefusal = false, bool IsDone = true);

/// <summary>
/// Does what a schedule wants after a run: <c>promote</c> and <c>push</c> by the commands of those names, then word to the notifiers. What
/// fails here is told, and keeps nobody from being told; what was to be promoted and was not, is not pushed. Thread-safe.
/// </summary>
internal sealed class FollowUps(
    OccurrenceStore store, ScheduleBook book, IDistillProgram program, INotifiers notifiers, SecretText secrets, TimeProvider clock)
{
    private const string Promote = "promote", Push = "push", Notify = "notify ";

    private const int GateFailed = 3;

    /// <summary>Each thing as it is done. What was done before is not done again.</summary>
    /// <param name="words">What the run said; null after a restart.</param>
    /// <exception cref="OperationCanceledException">The service stops; the rest is done after its restart.</exception>
    public async IAsyncEnumerable<FollowUp> DoAsync(
        Occurrence occurrence, RunWords? words, [EnumeratorCancellation] CancellationToken stopping)
    {
        if (book.Find(occurrence.Schedule) is not { Then: var then } schedule) yield break;
        var troubles = new List<string>();
        foreach (var (name, command) in Commands(occurrence, schedule))
        {
            if (occurrence.State != OccurrenceState.Finished || occurrence.Followed.Contains(name)) continue;
            var done = await RunAsync(name, command, stopping).ConfigureAwait(false);
            if (done.Trouble is { } trouble) troubles.Add(trouble);
            if (done.IsRefusal) occurrence = occurrence with { State = OccurrenceState.Refused, Reason = done.Trouble };
            yield return done;
            if (name == Promote && done.Trouble is not null) break; // nobody said that this model is good enough
        }

        if (occurrence.State is not (OccurrenceState.Finished or OccurrenceState.Failed or OccurrenceState.Refused)) yield break;
        string? sum = occurrence.State == OccurrenceState.Finished && troubles.Count > 0 ? string.Join("; ", troubles) : null;
        var notice = RunNotice.Of(occurrence, store.RunsFolder, words, sum);
        foreach (var notifier in book.Document.Notifiers.Where(one => then.Notified.Contains(one.Name) && IsWanted(one, notice)))
        {
            if (occurrence.Followed.Contains(Notify + notifier.Name)) continue;
            yield return new(Notify + notifier.Name, await notifiers.TellAsync(notifier, notice, stopping).ConfigureAwait(false));
        }
    }

    private IEnumerable<(string Name, IReadOnlyList<string> Command)> Commands(Occurrence occurrence, ScheduleSection schedule)
    {
        if (occurrence.Attempts is [.., { End: AttemptEnd.Early }]) yield break; // there is no model
        if (schedule.Then.Promote is { Length: > 0 } place)
            yield return (Promote, ["promote", occurrence.Run, "--to", place, "--runs", store.RunsFolder, "--json"]);
        if (schedule.Then.Push.Length == 0) yield break;
        string target = DatedText.Fill(schedule.Then.Push, schedule.Times().WallTime(occurrence.Due));
        yield return (Push, ["push", new RunFolder(store.RunsFolder, occurrence.Run).ModelPath, target, "--json"]);
    }

    private static bool IsWanted(NotifierSection notifier, RunNotice notice) =>
        notifier.When == NotifyWhen.Always || notice.Outcome != RunNotice.Finished || notice.Trouble is not null;

    private async Task<FollowUp> RunAsync(string name, IReadOnlyList<string> command, CancellationToken stopping)
    {
        var words = new RunWords(clock, secrets);
        int code;
        try
        {
            code = await program.RunAsync(command, line => words.Hear(line), stopping).ConfigureAwait(false);
        }
        catch (IOException fault)
        {
            return new(name, $"{name}: {fault.Message}", IsDone: name != Promote);
        }

        stopping.ThrowIfCancellationRequested();
        if (code == 0) return new(name, null);
        bool isRefusal = code == GateFailed;
        return new(name, $"{name}: {words.Fault ?? $"it ended with code {code}"}", isRefusal, IsDone: isRefusal || name != Promote);
    }
}
