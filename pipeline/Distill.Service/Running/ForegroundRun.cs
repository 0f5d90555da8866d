using Distill.Service.Hosting;
using Distill.Service.Notifying;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;

namespace Distill.Service.Running;

/// <summary>Carries one occurrence on before somebody's eyes, without a server. One call at a time.</summary>
/// <param name="said">Told what the run says, without secrets; from any thread, one at a time.</param>
internal sealed class ForegroundRun(
    OccurrenceStore store, ScheduleBook book, IDistillProgram program, Action<string> said, TimeProvider clock)
{
    /// <returns>How it ended.</returns>
    /// <exception cref="OperationCanceledException">Stopped; the occurrence waits for who goes on with it.</exception>
    public async Task<Occurrence> DoAsync(Occurrence occurrence, CancellationToken stopping)
    {
        var secrets = new SecretText(book);
        var echo = new EchoedProgram(program, new RunWords(clock, secrets), said);
        var followUps = new FollowUps(store, book, echo, new Notifiers(clock, [ServiceOptions.PostgresVariable]), secrets, clock);
        var runner = new OccurrenceRunner(store, book, echo, followUps, new LiveRuns(), secrets, clock);
        while (true)
        {
            await runner.CarryOnAsync(occurrence.Schedule, occurrence.Name, stopping).ConfigureAwait(false);
            stopping.ThrowIfCancellationRequested();
            occurrence = store.Find(occurrence.Schedule, occurrence.Name) ?? occurrence;
            if (occurrence.Closed is not null) return occurrence;
            var wait = occurrence.NotBefore - clock.GetUtcNow();
            if (wait is not { Ticks: > 0 } pause) continue;
            said($"{occurrence.Reason}; the next attempt is made at {occurrence.NotBefore:HH:mm} UTC");
            await Task.Delay(pause, clock, stopping).ConfigureAwait(false);
        }
    }

    private sealed class EchoedProgram(IDistillProgram inner, RunWords words, Action<string> echo) : IDistillProgram
    {
        public Task<int> RunAsync(IReadOnlyList<string> arguments, Action<SpokenLine> said, CancellationToken cancellation) =>
            inner.RunAsync(arguments, line =>
            {
                said(line);
                if (words.Hear(line) is { } text) echo(text);
            }, cancellation);
    }
}
