using System.Runtime.CompilerServices;
using Distill.Pipeline.Runs;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;

namespace Distill.Service.Running;

/// <summary>
/// Does what a schedule wants after a run: <c>push</c> by the command of that name, then word to the notifiers. What fails here is told and
/// keeps nothing else from being done. Thread-safe.
/// </summary>
internal sealed class FollowUps(OccurrenceStore store, ScheduleBook book, IDistillProgram program, INotifiers notifiers, SecretText secrets, TimeProvider clock)
{
    private const string Push = "push", Notify = "notify ";

    /// <summary>Each thing as it is done, with what went wrong with it; null when nothing did. What was done before is not done again.</summary>
    /// <param name="words">What the run said; null after a restart.</param>
    /// <exception cref="OperationCanceledException">The service stops; the rest is done after its restart.</exception>
    public async IAsyncEnumerable<(string Followed, string? Trouble)> DoAsync(
        Occurrence occurrence, RunWords? words, [EnumeratorCancellation] CancellationToken stopping)
    {
        if (book.Find(occurrence.Schedule) is not { Then: var then }) yield break;
        string? trouble = null;
        if (occurrence.State == OccurrenceState.Finished && then.Push.Length > 0 && !occurrence.Followed.Contains(Push))
        {
            trouble = await PushAsync(occurrence, then.Push, stopping).ConfigureAwait(false);
            yield return (Push, trouble);
        }

        if (occurrence.State is not (OccurrenceState.Finished or OccurrenceState.Failed or OccurrenceState.Refused)) yield break;
        var notice = RunNotice.Of(occurrence, store.RunsFolder, words, trouble);
        foreach (var notifier in book.Document.Notifiers.Where(one => then.Notified.Contains(one.Name) && IsWanted(one, notice)))
        {
            if (occurrence.Followed.Contains(Notify + notifier.Name)) continue;
            yield return (Notify + notifier.Name, await notifiers.TellAsync(notifier, notice, stopping).ConfigureAwait(false));
        }
    }

    private static bool IsWanted(NotifierSection notifier, RunNotice notice) =>
        notifier.When == NotifyWhen.Always || notice.Outcome != RunNotice.Finished || notice.Trouble is not null;

    private async Task<string?> PushAsync(Occurrence occurrence, string target, CancellationToken stopping)
    {
        string model = new RunFolder(store.RunsFolder, occurrence.Run).ModelPath;
        var zone = book.Find(occurrence.Schedule)!.Times();
        var words = new RunWords(clock, secrets);
        int code;
        try
        {
            string place = DatedText.Fill(target, zone.WallTime(occurrence.Due));
            code = await program.RunAsync(["push", model, place, "--json"], line => words.Hear(line), stopping).ConfigureAwait(false);
        }
        catch (IOException fault)
        {
            return $"push: {fault.Message}";
        }

        stopping.ThrowIfCancellationRequested();
        return code == 0 ? null : $"push: {words.Fault ?? $"it ended with code {code}"}";
    }
}
