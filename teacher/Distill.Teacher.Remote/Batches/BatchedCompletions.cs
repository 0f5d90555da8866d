using Distill.Storage;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Batches;

/// <summary>
/// Completions by a batch interface, at half the price within a day: everything that is not in the store is submitted, waited for and kept
/// there, under the names that single requests have. A kill costs nothing: the next run goes on waiting. Not thread-safe.
/// </summary>
internal sealed class BatchedCompletions
{
    private readonly IBatchService service;
    private readonly CompletionStore store;
    private readonly BatchLedger ledger;
    private readonly BatchOptions options;
    private readonly Action<string> warn;
    private readonly BatchWatch watch;
    private readonly BatchSubmission submission;
    private readonly BatchCollection collection;
    private readonly UsageMeter meter = new();
    private readonly Dictionary<string, RemoteTeacherException> faults = new(StringComparer.Ordinal);

    /// <param name="service">Stays the caller's to dispose.</param>
    /// <param name="warn">Told what a person may want to know; default: nobody.</param>
    public BatchedCompletions(
        IBatchService service, CompletionStore store, BatchLedger ledger, BatchOptions options, CallOptions calls,
        TimeProvider? clock = null, Action<string>? warn = null)
    {
        clock ??= TimeProvider.System;
        (this.service, this.store, this.ledger, this.options, this.warn) = (service, store, ledger, options, warn ?? (_ => { }));
        watch = new BatchWatch(service, options, clock);
        submission = new BatchSubmission(service, ledger, watch, options, calls, clock, this.warn);
        collection = new BatchCollection(service, store, calls, clock, meter);
    }

    /// <summary>What was newly kept, so far.</summary>
    public RemoteUsage Usage => meter.Usage;

    /// <summary>Why a request will not be answered; null for one that was, or was never asked.</summary>
    public RemoteTeacherException? FaultOf(string request) => faults.GetValueOrDefault(request);

    /// <summary>Ends when every request is in the store or was refused for good.</summary>
    /// <exception cref="RemoteTeacherException">The service does not answer, refuses, or fails lines again and again.</exception>
    /// <exception cref="OperationCanceledException">Batches go on at the service and are found by the next run.</exception>
    public async Task FetchAsync(IReadOnlyList<BatchRequest> requests, Action<BatchProgress>? progress, CancellationToken cancellation)
    {
        if (requests.Count == 0) return;
        string form = FormOf(requests[0]);
        foreach (var (request, reason) in ledger.Refusals(form))
            faults[request] = new RemoteTeacherException(RemoteFaultKind.Refused, reason) { Status = 400 };
        var wanted = Wanted(requests);
        for (int round = 1; wanted.Count > 0; round++)
        {
            await submission.SubmitAsync(wanted, form, cancellation).ConfigureAwait(false);
            var last = await CollectAsync(wanted, requests.Count, progress, cancellation).ConfigureAwait(false);
            wanted = Wanted(requests);
            if (wanted.Count == 0) return;
            string why = last is null ? "." : $", the last because: {last.Message}";
            string left = $"{wanted.Count:N0} of {requests.Count:N0} requests have no answer{why}";
            if (round >= options.Rounds)
                throw new RemoteTeacherException(
                    last?.Kind ?? RemoteFaultKind.Damaged,
                    $"After {round} batches {left} What was answered is kept; run again to ask for the rest.", last);
            warn($"{left} They are submitted again.");
        }
    }

    private List<BatchRequest> Wanted(IReadOnlyList<BatchRequest> requests) =>
        [.. requests.Where(request => !faults.ContainsKey(request.Id) && store.Find(request.Id) is null)];

    /// <returns>The last fault of a line that is to be asked again.</returns>
    private async Task<RemoteTeacherException?> CollectAsync(
        IReadOnlyList<BatchRequest> wanted, int total, Action<BatchProgress>? progress, CancellationToken cancellation)
    {
        var ids = wanted.Select(request => request.Id).ToHashSet(StringComparer.Ordinal);
        List<BatchIntent> waiting =
            [.. ledger.Open().Where(intent => ledger.IdOf(intent) is not null && intent.Requests.Any(ids.Contains))];
        RemoteTeacherException? last = null, stop = null;
        int done = total - wanted.Count;
        foreach (var (index, intent) in waiting.Index())
        {
            int left = waiting.Count - index;
            var status = await watch.EndOfAsync(
                ledger.IdOf(intent)!, intent.Created,
                look => progress?.Invoke(new BatchProgress(Math.Min(total, done + look.Done), total, left)), cancellation)
                .ConfigureAwait(false);
            var reading = await collection.ReadAsync(intent, status, cancellation).ConfigureAwait(false);
            ledger.Finish(intent, reading.ToOutcome(status));
            done = Math.Min(total, done + intent.Requests.Count);
            last = Account(reading) ?? status.Fault ?? last;
            stop ??= StopOf(status, reading);
            Tell(reading);
        }

        return stop is null ? last : throw stop;
    }

    private RemoteTeacherException? Account(BatchReading reading)
    {
        foreach (var (request, fault) in reading.Faults.Where(pair => BatchFault.IsFinal(pair.Value))) faults[request] = fault;
        return reading.Faults.Values.LastOrDefault(fault => fault.IsTransient);
    }

    // Asking again would not help, or somebody does not want it.
    private static RemoteTeacherException? StopOf(BatchStatus status, BatchReading reading) => status.Phase switch
    {
        BatchPhase.Cancelled => new RemoteTeacherException(
            RemoteFaultKind.Refused,
            $"The batch was cancelled; {reading.Answered:N0} answers are kept. Run again to submit the rest."),
        BatchPhase.Failed when status.Fault is { IsTransient: false } fault => fault,
        _ => reading.Faults.Values.FirstOrDefault(fault => !fault.IsTransient && !BatchFault.IsFinal(fault)),
    };

    private void Tell(BatchReading reading)
    {
        if (reading.Foreign + reading.Duplicates + reading.Damaged > 0)
            warn(
                $"A batch's results hold {reading.Foreign:N0} lines of unknown requests, {reading.Duplicates:N0} second lines of a request "
                + $"and {reading.Damaged:N0} lines that cannot be read; none of them counts.");
    }

    // Everything about a request but what it asks and whose sample it is.
    private string FormOf(BatchRequest any) => FileDigest.Of(
        service.Line(new BatchRequest("", any.Prompt with { Messages = [new ChatMessage(ChatRole.User, "")] }, 0)));
}
