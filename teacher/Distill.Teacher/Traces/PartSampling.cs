using Distill.Data.Traces;
using Distill.Generation;

namespace Distill.Teacher;

/// <summary>
/// The samples of one part, round by round: what the journal knows is taken, the rest is generated. Lives for one part; one thread calls
/// it.
/// </summary>
/// <param name="requests">One for each problem, with the seeds of all its samples.</param>
/// <param name="traceOf">(problem, sample, completion, prompt tokens) → its row.</param>
internal sealed class PartSampling(
    BatchGenerator generator, TraceCollectionOptions options, CompletionJournal? journal, IReadOnlyList<GenerationRequest> requests,
    Func<int, int, Completion, int, Trace> traceOf)
{
    private readonly Trace?[,] rows = new Trace?[requests.Count, options.Samples];
    private readonly SamplingPolicy policy = options.Policy ?? new SamplingPolicy { Samples = options.Samples };
    private GenerationProgress earlier; // of the rounds before
    private int settled;

    /// <returns>The rows, by problem and sample.</returns>
    public IReadOnlyList<Trace> Run(
        SampleBudget budget, Action<GenerationProgress>? progress, CancellationToken deadline, CancellationToken cancellation)
    {
        var rounds = new SampleRounds(policy, requests.Count);
        var spending = new SampleSpending(budget, options.MaxNewTokens);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(deadline, cancellation);
        try
        {
            while (rounds.Next() is { Count: > 0 } orders)
            {
                if (!Ask(orders, rounds, spending, progress, ends.Token)) break;
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            // What had ended before the deadline is what there is.
        }

        settled = requests.Count * options.Samples;
        Report(default, progress);
        return [.. rows.Cast<Trace?>().OfType<Trace>()];
    }

    // As many at a time as the budget allows even if each is as long as it can be; what they leave is for the next.
    private bool Ask(
        IReadOnlyList<SampleOrder> orders, SampleRounds rounds, SampleSpending spending, Action<GenerationProgress>? progress,
        CancellationToken cancellation)
    {
        var waiting = new Queue<SampleOrder>(orders);
        while (waiting.Count > 0)
        {
            int room = spending.Room;
            if (room == 0) return false;
            var now = new List<SampleOrder>();
            while (room > 0 && waiting.TryDequeue(out var order))
            {
                int taken = Math.Min(room, order.Count);
                now.Add(order with { Count = taken });
                room -= taken;
                if (taken < order.Count) waiting = new([new(order.Problem, order.First + taken, order.Count - taken), .. waiting]);
            }

            Complete(now, progress, cancellation);
            foreach (var order in now) Count(order, rounds, spending);
        }

        return true;
    }

    private void Count(SampleOrder order, SampleRounds rounds, SampleSpending spending)
    {
        spending.Begin(order.Count);
        for (int sample = order.First; sample < order.First + order.Count; sample++)
        {
            var trace = rows[order.Problem, sample]!;
            spending.End(trace.CompletionTokens);
            rounds.Answered(order.Problem, policy.IsAdaptive && (options.IsRight?.Invoke(trace) ?? false));
        }

        if (!policy.IsOpen(rounds.Tallies[order.Problem])) settled += options.Samples - rounds.Tallies[order.Problem].Asked;
    }

    private void Complete(List<SampleOrder> orders, Action<GenerationProgress>? progress, CancellationToken cancellation)
    {
        var asked = new List<(int Problem, int Sample, CompletionKey Key)>[orders.Count];
        for (int i = 0; i < orders.Count; i++) asked[i] = TakeKnown(orders[i]);
        if (asked.All(each => each.Count == 0)) return;
        var total = generator.Run(
            [.. orders.Select((order, i) => requests[order.Problem] with
            {
                Seeds = [.. asked[i].Select(each => requests[order.Problem].Seeds[each.Sample])],
            })],
            (request, index, completion) =>
            {
                var (problem, sample, key) = asked[request][index];
                journal?.Add(key, completion);
                Keep(problem, sample, completion);
            },
            done => Report(done, progress),
            cancellation);
        earlier += total;
    }

    /// <summary>Takes what the journal knows of an order.</summary>
    /// <returns>What it does not know.</returns>
    private List<(int Problem, int Sample, CompletionKey Key)> TakeKnown(SampleOrder order)
    {
        var samples = Enumerable.Range(order.First, order.Count);
        if (journal is null) return [.. samples.Select(sample => (order.Problem, sample, default(CompletionKey)))];
        var request = requests[order.Problem];
        var keys = CompletionKey.Of(
            options.TeacherDigest, request with { Seeds = [.. samples.Select(sample => request.Seeds[sample])] });
        var missing = new List<(int, int, CompletionKey)>();
        foreach (int sample in samples)
        {
            var key = keys[sample - order.First];
            if (journal.Find(key) is { } known) Keep(order.Problem, sample, known);
            else missing.Add((order.Problem, sample, key));
        }

        return missing;
    }

    private void Keep(int problem, int sample, Completion completion)
    {
        rows[problem, sample] = traceOf(problem, sample, completion, requests[problem].Prompt.Count);
        settled++;
    }

    private void Report(GenerationProgress round, Action<GenerationProgress>? progress)
    {
        if (progress is null) return;
        var all = earlier + round;
        progress(all with { Completions = settled, Total = requests.Count * options.Samples });
    }
}
