using System.Text;
using System.Text.Json;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Storage;
using Distill.Teacher;

namespace Distill.Pipeline.Stages.Data;

/// <summary>What became of the problems where verdicts or budgets decided what was asked: <c>sampling.json</c> of the traces.</summary>
/// <param name="Asked">Problems with at least one trace.</param>
/// <param name="Solved">Problems with at least one right answer.</param>
/// <param name="GivenUp">Problems without one that were asked as often as they may be.</param>
/// <param name="Unfinished">Problems that a budget kept from further samples.</param>
/// <param name="Right">Traces whose answer is right.</param>
/// <param name="Difficulty">
/// Problems asked, by the share of their samples that is right: none, up to a quarter, a half, three quarters, more.
/// </param>
/// <param name="CutOffBy">The budget that was reached, as its option is called; null when none was.</param>
internal sealed record SamplingReport(
    int Problems, int Asked, int Solved, int GivenUp, int Unfinished, long Traces, long Right, IReadOnlyList<int> Difficulty,
    string? CutOffBy)
{
    public const string FileName = "sampling.json", CutOffFact = "cut_off_by";

    /// <returns>Null for traces where everything was asked.</returns>
    public static SamplingReport? Read(Artifact traces) => traces.Manifest.Files.Any(file => file.Path == FileName)
        ? JsonSerializer.Deserialize<SamplingReport>(File.ReadAllBytes(traces.PathOf(FileName)), CanonicalJson.Spelling) : null;

    public void Write(StageContext context)
    {
        context.Writer.Write(FileName, Encoding.UTF8.GetBytes(CanonicalJson.Write(CanonicalJson.ToNode(this)) + "\n"));
        if (CutOffBy is not null) context.Writer.Fact(CutOffFact, CutOffBy);
    }

    /// <summary>In one line.</summary>
    public string Describe()
    {
        var parts = new List<string> { $"{Traces:N0} traces of {Asked:N0} problems, {Right:N0} right, {Solved:N0} problems solved" };
        if (GivenUp > 0) parts.Add($"{GivenUp:N0} given up");
        if (CutOffBy is not null) parts.Add($"cut off by {CutOffBy}: {Unfinished:N0} of {Problems:N0} problems not finished");
        return string.Join("; ", parts);
    }
}

/// <summary>
/// Counts a data set part by part. What a part should hold follows from its rows, so that a part made before an interruption counts like
/// any other.
/// </summary>
internal sealed class SamplingTally(SamplingPolicy policy, Func<Trace, bool> isRight)
{
    private readonly int[] difficulty = new int[ProblemTally.Classes];
    private int problems, asked, solved, givenUp, unfinished;
    private long traces, right;

    /// <param name="part">Its problems, in their order.</param>
    /// <param name="rows">Its traces.</param>
    public void Add(IReadOnlyList<Problem> part, IReadOnlyList<Trace> rows)
    {
        var indices = part.Index().ToDictionary(item => item.Item.Id, item => item.Index, StringComparer.Ordinal);
        var verdicts = rows.ToDictionary(row => (indices[row.Problem.Id], row.SampleIndex), isRight);
        var tallies = new ProblemTally[part.Count];
        foreach (var ((problem, _), isRightOne) in verdicts) tallies[problem] = tallies[problem].With(isRightOne);
        foreach (var tally in tallies.Where(tally => tally.Asked > 0))
        {
            difficulty[tally.Class]++;
            asked++;
            if (tally.Right > 0) solved++;
            if (policy.IsGivenUp(tally)) givenUp++;
        }

        problems += part.Count;
        traces += rows.Count;
        right += verdicts.Values.Count(verdict => verdict);
        unfinished += Unfinished(part.Count, verdicts);
    }

    /// <param name="budget">The option whose budget would have been the reason, if a problem is not finished.</param>
    public SamplingReport ToReport(string budget) => new(
        problems, asked, solved, givenUp, unfinished, traces, right, difficulty, unfinished > 0 ? budget : null);

    // The rounds again, by the verdicts at hand: the first rows that lack are those that a budget forbade.
    private int Unfinished(int count, Dictionary<(int Problem, int Sample), bool> verdicts)
    {
        var rounds = new SampleRounds(policy, count);
        var lacking = new HashSet<int>();
        while (lacking.Count == 0 && rounds.Next() is { Count: > 0 } orders)
        {
            foreach (var order in orders)
            {
                for (int sample = order.First; sample < order.First + order.Count; sample++)
                {
                    if (verdicts.TryGetValue((order.Problem, sample), out bool verdict)) rounds.Answered(order.Problem, verdict);
                    else lacking.Add(order.Problem);
                }
            }
        }

        return lacking.Count == 0 ? 0 : Enumerable.Range(0, count).Count(problem => lacking.Contains(problem)
            || policy.IsOpen(rounds.Tallies[problem]));
    }
}
