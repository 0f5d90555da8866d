using Distill.Teacher.Remote.Calls;

namespace Distill.Teacher.Remote.Batches;

/// <summary>
/// Requests → batches under way, each request in one batch and no more, whatever dies in between: an intent is on disk before anything is
/// sent; where it is not known whether the service took it, the batch is looked for before another is made. Not thread-safe.
/// </summary>
/// <param name="warn">Told what a person may want to know.</param>
internal sealed class BatchSubmission(
    IBatchService service, BatchLedger ledger, BatchWatch watch, BatchOptions options, CallOptions calls, TimeProvider clock,
    Action<string> warn)
{
    // Two clocks may differ, and a service without names is asked for what it began since.
    private static readonly TimeSpan Slack = TimeSpan.FromHours(24);

    /// <summary>Begins batches for what is in none.</summary>
    /// <param name="form">See <see cref="BatchIntent.Form"/>.</param>
    /// <exception cref="RemoteTeacherException">A batch was not accepted, or nobody knows: what is under way is found again.</exception>
    public async Task SubmitAsync(IReadOnlyList<BatchRequest> requests, string form, CancellationToken cancellation)
    {
        using var held = ledger.Take(owner => warn($"Waiting for {owner}, which submits batches of the same teacher."), cancellation);
        foreach (var intent in ledger.Open().Where(intent => ledger.IdOf(intent) is null))
        {
            if (!await FindAsync(intent, cancellation).ConfigureAwait(false)) Abandon(intent);
        }

        var covered = ledger.Open().SelectMany(intent => intent.Requests).ToHashSet(StringComparer.Ordinal);
        foreach (var chunk in Chunks([.. requests.Where(request => !covered.Contains(request.Id))]))
        {
            var intent = ledger.Begin(form, [.. chunk.Select(request => request.Id)], clock.GetUtcNow());
            await CreateAsync(intent, chunk, cancellation).ConfigureAwait(false);
        }
    }

    private async Task CreateAsync(BatchIntent intent, IReadOnlyList<BatchRequest> requests, CancellationToken cancellation)
    {
        for (int failed = 0; ; failed++)
        {
            RemoteTeacherException fault;
            try
            {
                ledger.Submit(intent, await service.CreateAsync(intent.Name, requests, cancellation).ConfigureAwait(false));
                return;
            }
            catch (RemoteTeacherException refused) when (!refused.IsTransient)
            {
                Abandon(intent); // it is nowhere
                throw;
            }
            catch (RemoteTeacherException passing) when (failed < calls.Retries && !(passing.RetryAfter > calls.LongestRetryAfter))
            {
                fault = passing;
            }

            await Task.Delay(Wait(failed, fault.RetryAfter), clock, cancellation).ConfigureAwait(false);
            if (fault.Kind != RemoteFaultKind.Busy && await FindAsync(intent, cancellation).ConfigureAwait(false)) return;
        }
    }

    /// <summary>Whether a batch that was to be created was, by what the service lists.</summary>
    private async Task<bool> FindAsync(BatchIntent intent, CancellationToken cancellation)
    {
        for (int look = 1; look <= options.Looks; look++)
        {
            var others = ledger.OthersOf(intent);
            var found = await service.FindAsync(intent.Name, intent.Requests.Count, intent.Created - Slack, cancellation)
                .ConfigureAwait(false);
            foreach (var candidate in found.Where(batch => !others.Contains(batch.Id)).OrderBy(batch => batch.Created))
            {
                if (service.FindsByName || await IsOursAsync(intent, candidate, cancellation).ConfigureAwait(false))
                {
                    ledger.Submit(intent, candidate.Id);
                    return true;
                }

                ledger.Refute(intent, candidate.Id);
            }

            if (look < options.Looks) await Task.Delay(options.LookPause, clock, cancellation).ConfigureAwait(false);
        }

        return false;
    }

    // Its results tell, and nothing else does; until they are there, submitting again could mean paying twice.
    private async Task<bool> IsOursAsync(BatchIntent intent, BatchStatus candidate, CancellationToken cancellation)
    {
        warn("A batch may have been submitted before this run was cut off; it is waited for, to know whose it is.");
        var status = await watch.EndOfAsync(candidate.Id, candidate.Created, null, cancellation).ConfigureAwait(false);
        var own = intent.Requests.ToHashSet(StringComparer.Ordinal);
        foreach (string path in status.Results)
        {
            await foreach (var line in service.ResultsAsync(path, cancellation).ConfigureAwait(false))
            {
                if (line is not null) return own.Contains(line.Id);
            }
        }

        return false;
    }

    private void Abandon(BatchIntent intent) => ledger.Finish(
        intent,
        new BatchOutcome("", "never submitted", 0, new Dictionary<string, string>(), 0, intent.Requests.Count, 0, 0, 0));

    private IEnumerable<IReadOnlyList<BatchRequest>> Chunks(IReadOnlyList<BatchRequest> requests)
    {
        int most = Math.Min(options.MostRequests, service.MostRequests);
        const int Framing = 4096; // around all of them, generously
        var chunk = new List<BatchRequest>();
        long bytes = Framing;
        foreach (var request in requests)
        {
            int length = service.Line(request).Length + 1;
            if (chunk.Count > 0 && (chunk.Count == most || bytes + length > service.MostBytes))
            {
                yield return chunk;
                (chunk, bytes) = ([], Framing);
            }

            chunk.Add(request);
            bytes += length;
        }

        if (chunk.Count > 0) yield return chunk;
    }

    private TimeSpan Wait(int failed, TimeSpan? asked)
    {
        var wait = asked ?? calls.FirstDelay * Math.Pow(2, Math.Min(failed, 20));
        return asked is null && wait > calls.LongestDelay ? calls.LongestDelay : wait;
    }
}

/// <summary>Waits for batches to end. Thread-safe.</summary>
internal sealed class BatchWatch(IBatchService service, BatchOptions options, TimeProvider clock)
{
    /// <param name="begun">When it was submitted.</param>
    /// <param name="look">Told of every look.</param>
    /// <exception cref="RemoteTeacherException">It is too old to be waited for, or the service does not answer.</exception>
    public async Task<BatchStatus> EndOfAsync(
        string id, DateTimeOffset begun, Action<BatchStatus>? look, CancellationToken cancellation)
    {
        for (var pause = options.FirstPoll; ; pause = Longer(pause))
        {
            var status = await service.StatusAsync(id, cancellation).ConfigureAwait(false);
            look?.Invoke(status);
            if (status.Phase != BatchPhase.UnderWay) return status;
            if (clock.GetUtcNow() - begun > options.LongestWait)
                throw new RemoteTeacherException(
                    RemoteFaultKind.TimedOut,
                    $"A batch is still not done {options.LongestWait.TotalHours:0} h after it was submitted. Look at it in your account; "
                    + "cancel it there, and another run asks again for what it did not answer.");
            await Task.Delay(pause, clock, cancellation).ConfigureAwait(false);
        }
    }

    private TimeSpan Longer(TimeSpan pause) => pause * 1.5 < options.LongestPoll ? pause * 1.5 : options.LongestPoll;
}
