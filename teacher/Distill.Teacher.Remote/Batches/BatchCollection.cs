using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;

namespace Distill.Teacher.Remote.Batches;

/// <summary>
/// The lines of an ended batch → the store, every request accounted for: answered, refused, failed or missing. What is read twice is kept
/// once. Not thread-safe.
/// </summary>
internal sealed class BatchCollection(
    IBatchService service, CompletionStore store, CallOptions calls, TimeProvider clock, UsageMeter meter)
{
    /// <summary>Reads all lines, again where they broke off, and finds what there is of each request.</summary>
    /// <exception cref="RemoteTeacherException">The results cannot be read now; they stay where they are.</exception>
    public async Task<BatchReading> ReadAsync(BatchIntent intent, BatchStatus status, CancellationToken cancellation)
    {
        var reading = new BatchReading(intent.Requests);
        for (int failed = 0; ; failed++)
        {
            RemoteTeacherException? fault = null;
            reading.BeginAgain();
            try
            {
                foreach (string path in status.Results)
                {
                    await foreach (var line in service.ResultsAsync(path, cancellation).ConfigureAwait(false)) Take(reading, line);
                }
            }
            catch (RemoteTeacherException broken) when (broken.IsTransient)
            {
                fault = broken;
            }

            // A line that is not there although the batch says that all were done may come with another reading.
            bool isWhole = fault is null && reading.Damaged == 0 && (status.Phase != BatchPhase.Completed || reading.Missing == 0);
            if (isWhole || fault is null && failed >= calls.Retries) return reading;
            if (fault is not null && failed >= calls.Retries) throw fault;
            var pause = fault?.RetryAfter ?? calls.FirstDelay * Math.Pow(2, Math.Min(failed, 20));
            await Task.Delay(pause < calls.LongestDelay ? pause : calls.LongestDelay, clock, cancellation).ConfigureAwait(false);
        }
    }

    private void Take(BatchReading reading, BatchLine? line)
    {
        if (!reading.Count(line) || line!.Completion is not { } completion) return;
        if (store.Find(line.Id) is not null) return;
        store.Keep(line.Id, completion);
        meter.CountRequest();
        meter.CountAttempt();
        meter.CountAnswer(line.IsCounted
            ? new() { InputTokenCount = completion.PromptTokens, OutputTokenCount = completion.CompletionTokens }
            : null);
    }
}

/// <summary>What the lines of a batch say of its requests. Not thread-safe.</summary>
internal sealed class BatchReading(IReadOnlyList<string> requests)
{
    private readonly HashSet<string> own = requests.ToHashSet(StringComparer.Ordinal), answered = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RemoteTeacherException> faults = new(StringComparer.Ordinal);
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);

    public int Damaged { get; private set; }

    public int Foreign { get; private set; }

    public int Duplicates { get; private set; }

    public int Missing => own.Count - answered.Count - faults.Count;

    public int Answered => answered.Count;

    public IReadOnlyDictionary<string, RemoteTeacherException> Faults => faults;

    /// <summary>What was answered stays; lines are counted anew.</summary>
    public void BeginAgain()
    {
        seen.Clear();
        (Damaged, Foreign, Duplicates) = (0, 0, 0);
    }

    /// <returns>Whether the line is the first of one of the requests.</returns>
    public bool Count(BatchLine? line)
    {
        if (line is null) Damaged++;
        else if (!own.Contains(line.Id)) Foreign++;
        else if (!seen.Add(line.Id) && (line.Completion is null || answered.Contains(line.Id))) Duplicates++;
        else
        {
            if (line.Completion is not null && answered.Add(line.Id)) faults.Remove(line.Id);
            if (!answered.Contains(line.Id)) faults[line.Id] = line.Fault!;
            return true;
        }

        return false;
    }

    public BatchOutcome ToOutcome(BatchStatus status)
    {
        var refused = faults.Where(pair => BatchFault.IsFinal(pair.Value))
            .ToDictionary(pair => pair.Key, pair => pair.Value.Message, StringComparer.Ordinal);
        return new BatchOutcome(
            status.Id, status.Phase.ToString(), Answered, refused, faults.Count - refused.Count, Missing, Foreign, Duplicates, Damaged);
    }
}

/// <summary>Which faults of a line say that its request will never be taken.</summary>
internal static class BatchFault
{
    public static bool IsFinal(RemoteTeacherException fault) => fault is { Kind: RemoteFaultKind.Refused, Status: 400 or 413 or 422 };
}
