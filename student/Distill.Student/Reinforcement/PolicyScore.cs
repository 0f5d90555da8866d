namespace Distill.Student.Reinforcement;

/// <summary>How weights did on the held-out problems: shares of correct completions, 0..1.</summary>
/// <param name="Sampled">At temperature 1, several completions a problem.</param>
/// <param name="Greedy">The most probable token each time, one completion a problem.</param>
internal readonly record struct PolicyScore(double Sampled, double Greedy)
{
    private const double Rounding = 1e-9; // far less than one completion more or less

    /// <summary>
    /// A fall of greedy accuracy by less than a point is no fall that a few hundred problems could show (of 600, solved in nine of ten, the
    /// standard error is 1.2 points). It still counts in the mean.
    /// </summary>
    private const double NoFall = 0.01;

    /// <summary>The mean of the two.</summary>
    public double Mean => (Sampled + Greedy) / 2;

    /// <summary>
    /// What weights are chosen by: the mean of sampled and greedy accuracy. Both are means of the same verdicts over the same problems, so
    /// that a point of one is a point of the other and neither needs a weight. Reinforcement raises what is sampled even where it only
    /// makes the student surer of itself; applications decode greedily. So greedy accuracy may not be sold for sampled: where it is a
    /// point or more below that of the start, a look is worth no more than the start.
    /// </summary>
    /// <param name="start">Of the weights that the training began with.</param>
    public double Worth(PolicyScore start) => Greedy < start.Greedy - NoFall + Rounding ? Math.Min(Mean, start.Mean) : Mean;

    /// <summary>Whether weights with this score take the place of those kept so far; equals leave the earlier ones.</summary>
    public bool IsBetterThan(PolicyScore best, PolicyScore start) => Worth(start) > best.Worth(start) + Rounding;
}
