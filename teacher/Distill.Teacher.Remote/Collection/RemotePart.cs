using Distill.Data.Problems;
using Distill.Data.Traces;

namespace Distill.Teacher.Remote.Collection;

/// <summary>A part in the making. Under the lock of its <see cref="RemoteWork"/>.</summary>
internal sealed class RemotePart
{
    private readonly IReadOnlyList<Problem> problems;
    private readonly RemoteTraceOptions options;
    private readonly SampleRounds rounds;
    private readonly SampleSpending spending;
    private readonly Trace?[] rows;
    private readonly Queue<RemoteItem> waiting = new();
    private int begun;

    /// <param name="budget">Its own share.</param>
    public RemotePart(int index, IReadOnlyList<Problem> problems, RemoteTraceOptions options, SampleBudget budget)
    {
        (Index, this.problems, this.options) = (index, problems, options);
        rounds = new SampleRounds(options.Policy ?? new SamplingPolicy { Samples = options.Samples }, problems.Count);
        rows = new Trace?[problems.Count * options.Samples];
        long prompt = budget.IsLimited ? problems.Max(problem => RemotePrompt.Of(problem, options).TokensAtMost) : 0;
        spending = new SampleSpending(budget, options.MaxTokens, options.Prices?.CostOf(prompt, options.MaxTokens) ?? 0);
        Fill();
    }

    public int Index { get; }

    /// <summary>Items that end when all others have ended.</summary>
    public int Held { get; set; }

    /// <summary>Samples that are answered or need no answer.</summary>
    public int Settled { get; private set; }

    public bool HasWaiting => waiting.Count > 0;

    public bool HasRows => rows.Any(row => row is not null);

    /// <summary>Whether nothing more comes: all is answered, or the budget lets nothing begin.</summary>
    public bool IsFinished => begun == 0 && (waiting.Count == 0 || spending.IsSpent);

    /// <returns>Null when nothing can be begun now.</returns>
    public RemoteItem? Next()
    {
        if (waiting.Count == 0 || spending.Room == 0) return null;
        begun++;
        spending.Begin(1);
        return waiting.Dequeue();
    }

    /// <param name="isRight">Counts where verdicts decide what is asked.</param>
    public void End(RemoteItem item, Trace trace, bool isRight)
    {
        begun--;
        rows[item.Index] = trace;
        Settled++;
        spending.End(trace.CompletionTokens, options.Prices?.CostOf(trace.PromptTokens, trace.CompletionTokens) ?? 0);
        int problem = item.Index / options.Samples;
        rounds.Answered(problem, isRight);
        if (begun == 0 && waiting.Count == 0) Fill();
    }

    public IReadOnlyList<Trace> Rows() => [.. rows.OfType<Trace>()];

    private void Fill()
    {
        foreach (var order in rounds.Next())
        {
            for (int sample = order.First; sample < order.First + order.Count; sample++)
                waiting.Enqueue(new RemoteItem(Index, (order.Problem * options.Samples) + sample, problems[order.Problem], sample));
        }
    }
}
