namespace Distill.Teacher;

/// <summary>
/// How many samples each problem gets. Which are asked follows from the verdicts of a part alone, so that a part comes out the same
/// whenever and beside whatever else it is made. Immutable.
/// </summary>
internal sealed record SamplingPolicy
{
    /// <summary>Samples after which a problem's difficulty is taken as known.</summary>
    public const int BalancedFrom = 2;

    /// <summary>Most samples of one problem, 1 and more.</summary>
    public required int Samples { get; init; }

    /// <summary>Right answers after which a problem is asked no more; null: it gets every sample.</summary>
    public int? Accepted { get; init; }

    /// <summary>Samples without a right answer after which a problem is given up; null: never.</summary>
    public int? GiveUpAfter { get; init; }

    /// <summary>Whether further samples go only to difficulties that have fewer right answers than others.</summary>
    public bool IsBalanced { get; init; }

    /// <summary>Whether verdicts decide anything.</summary>
    public bool IsAdaptive => Accepted is not null || GiveUpAfter is not null || IsBalanced;

    /// <summary>Whether a problem may get another sample, as far as it alone decides.</summary>
    public bool IsOpen(ProblemTally tally) => tally.Asked < Limit(tally.Right) && !(tally.Right >= Accepted);

    /// <summary>Whether it was closed without a right answer.</summary>
    public bool IsGivenUp(ProblemTally tally) => tally.Right == 0 && tally.Asked >= Limit(0);

    /// <summary>
    /// Samples that will be asked of an open problem whatever the next verdicts are: they can be asked together and leave the same rows as
    /// asking one by one.
    /// </summary>
    public int Certain(ProblemTally tally)
    {
        if (!IsOpen(tally)) return 0;
        int left = Limit(tally.Right) - tally.Asked;
        return Math.Min(left, Accepted - tally.Right ?? left);
    }

    /// <summary>Samples a problem gets on average, if each is right with a fixed probability.</summary>
    public double ExpectedSamples(double probability)
    {
        if (!IsAdaptive) return Samples;
        // [right answers], the share of problems that are open with them; one more sample a round.
        double[] open = new double[Samples + 1];
        open[0] = 1;
        double asked = 0;
        for (int sample = 0; sample < Samples; sample++)
        {
            double[] next = new double[Samples + 1];
            for (int right = 0; right <= sample; right++)
            {
                if (!IsOpen(new ProblemTally(sample, right))) continue;
                asked += open[right];
                next[right] += open[right] * (1 - probability);
                next[right + 1] += open[right] * probability;
            }

            open = next;
        }

        return asked;
    }

    private int Limit(int right) => right == 0 ? Math.Min(Samples, GiveUpAfter ?? Samples) : Samples;
}

/// <summary>What a problem was asked so far.</summary>
/// <param name="Right">Of them, found right by its verifier.</param>
internal readonly record struct ProblemTally(int Asked, int Right)
{
    /// <summary>Difficulties by the share solved: never, up to a quarter, a half, three quarters, more.</summary>
    public const int Classes = 5;

    public int Class => Right == 0 ? 0 : 1 + Math.Min(3, (4 * Right - 1) / Math.Max(1, Asked));

    public ProblemTally With(bool right) => new(Asked + 1, Right + (right ? 1 : 0));
}

/// <summary>Samples of one problem that are asked together.</summary>
internal readonly record struct SampleOrder(int Problem, int First, int Count);

/// <summary>The rounds of one part: what is asked next follows from the verdicts on all that was asked before. One thread.</summary>
internal sealed class SampleRounds(SamplingPolicy policy, int problems)
{
    private readonly ProblemTally[] tallies = new ProblemTally[problems];

    public IReadOnlyList<ProblemTally> Tallies => tallies;

    /// <summary>
    /// What is asked next, by problem; none when the part is finished. Every order must be answered before the next call.
    /// </summary>
    public IReadOnlyList<SampleOrder> Next()
    {
        var open = Enumerable.Range(0, problems).Where(problem => policy.IsOpen(tallies[problem])).ToList();
        if (!policy.IsBalanced) return [.. open.Select(problem => Order(problem, policy.Certain(tallies[problem])))];
        var first = open.Where(problem => tallies[problem].Asked < SamplingPolicy.BalancedFrom).ToList();
        if (first.Count > 0) return [.. first.Select(problem => Order(problem, 1))];
        int[] right = new int[ProblemTally.Classes];
        foreach (var tally in tallies) right[tally.Class] += tally.Right;
        int most = right.Max();
        return [.. open.Where(problem => tallies[problem].Class is var difficulty && (difficulty == 0 || right[difficulty] < most))
            .Select(problem => Order(problem, 1))];
    }

    public void Answered(int problem, bool right) => tallies[problem] = tallies[problem].With(right);

    private SampleOrder Order(int problem, int count) => new(problem, tallies[problem].Asked, count);
}
