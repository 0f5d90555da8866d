using Distill.Data.Similarity;

namespace Distill.Data.Curation;

/// <summary>Drops questions that the teacher always or hardly ever solves: they teach nothing, or nothing that can be trusted.</summary>
internal sealed class PassRateRule : IQuestionRule
{
    private readonly double least, most;
    private string? reason;

    private PassRateRule(double least, double most) => (this.least, this.most) = (least, most);

    public static PassRateRule? Of(CurationOptions options) =>
        options is { MinPassRate: <= 0, MaxPassRate: >= 1 } ? null : new PassRateRule(options.MinPassRate, options.MaxPassRate);

    public void Begin(QuestionTally question)
    {
        double rate = (double)question.Correct / question.Traces;
        reason = rate < least ? "too_hard" : rate > most ? "too_easy" : null;
    }

    public string? DropReason(in TraceKey trace) => reason;

    public void Kept(in TraceKey trace)
    {
    }
}

/// <summary>Drops a trace whose question, reasoning and answer equal those of one already kept, white space at the ends aside.</summary>
internal sealed class DuplicateRule : IQuestionRule
{
    private readonly HashSet<UInt128> seen = [];

    public void Begin(QuestionTally question) => seen.Clear();

    public string? DropReason(in TraceKey trace) => seen.Contains(trace.Content) ? "duplicate" : null;

    public void Kept(in TraceKey trace) => seen.Add(trace.Content);
}

/// <summary>Drops a trace that resembles one already kept of its question too much.</summary>
internal sealed class NearDuplicateRule(double resemblance) : IQuestionRule
{
    private readonly List<MinHash> seen = [];

    public void Begin(QuestionTally question) => seen.Clear();

    public string? DropReason(in TraceKey trace)
    {
        var sketch = trace.Sketch!;
        return seen.Exists(other => other.ResemblanceTo(sketch) >= resemblance) ? "near_duplicate" : null;
    }

    public void Kept(in TraceKey trace) => seen.Add(trace.Sketch!);
}

/// <summary>Keeps at most so many traces of one question, so that easy questions do not crowd out hard ones.</summary>
internal sealed class PerProblemLimitRule(int limit) : IQuestionRule
{
    private int kept;

    public void Begin(QuestionTally question) => kept = 0;

    public string? DropReason(in TraceKey trace) => kept >= limit ? "per_problem_limit" : null;

    public void Kept(in TraceKey trace) => kept++;
}

/// <summary>In which order the traces of a question are offered to the rules: who comes first is kept.</summary>
internal static class SelectionOrder
{
    // The order takes the square of their number; nobody samples a question more often and wants to compare all of it.
    private const int MostCompared = 512;

    /// <param name="places">Of the traces that may be kept, by sample; reordered in place.</param>
    public static void Apply(TraceSelection selection, TraceKeys keys, List<int> places)
    {
        if (selection == TraceSelection.Shortest)
        {
            int[] order = [.. places.OrderBy(place => keys[place].Tokens)]; // stable: equal lengths stay by sample
            places.Clear();
            places.AddRange(order);
        }
        else if (selection == TraceSelection.Diverse) SpreadOut(keys, places);
    }

    // Farthest first (Gonzalez, 1985): each next one is the one whose nearest neighbour among those taken is farthest.
    private static void SpreadOut(TraceKeys keys, List<int> places)
    {
        int count = Math.Min(places.Count, MostCompared);
        double[] nearest = new double[count];
        for (int taken = 1; taken < count; taken++)
        {
            var last = keys[places[taken - 1]].Sketch!;
            int best = taken;
            for (int i = taken; i < count; i++)
            {
                nearest[i] = Math.Max(nearest[i], keys[places[i]].Sketch!.ResemblanceTo(last));
                if (nearest[i] < nearest[best]) best = i;
            }

            // Moved and not swapped: among equals the first by sample is taken, whatever was taken before.
            int place = places[best];
            double value = nearest[best];
            for (int i = best; i > taken; i--) (places[i], nearest[i]) = (places[i - 1], nearest[i - 1]);
            (places[taken], nearest[taken]) = (place, value);
        }
    }
}
