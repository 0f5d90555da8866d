using Distill.Student.Training;

namespace Distill.Student.Adapters;

/// <summary>
/// How the frozen weights of the projections lie in memory while adapters are trained over them (Dettmers et al. 2023, arXiv 2305.14314,
/// whose 4-bit type is another one).
/// </summary>
public enum FrozenForm
{
    /// <summary>In the precision of the products.</summary>
    Float,

    /// <summary>8 bits in blocks of 32 with an fp32 scale: 9 bits a weight.</summary>
    Int8,

    /// <summary>4 bits in blocks of 32 with an fp32 scale: 5 bits a weight.</summary>
    Int4,
}

/// <summary>
/// Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): W + scale·B·A with A [rank, in] and B [out, rank]; only A and B are trained.
/// </summary>
/// <param name="Rank">At least 1.</param>
/// <param name="Alpha">scale = alpha/rank.</param>
/// <param name="Targets">Projections that get adapters, in every layer; names out of <see cref="AllTargets"/>.</param>
/// <param name="RankStabilized">scale = alpha/√rank instead (Kalajdzievski 2023, arXiv 2312.03732).</param>
public sealed record LowRankOptions(int Rank, double Alpha, IReadOnlyList<string> Targets, bool RankStabilized = false)
{
    /// <summary>In what form the training reads W.</summary>
    public FrozenForm Frozen { get; init; }

    /// <summary>Every projection of a layer.</summary>
    public static IReadOnlyList<string> AllTargets { get; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <param name="weight">A parameter's whole name.</param>
    internal bool Adapts(string weight) => Targets.Any(target => weight.EndsWith($".{target}.weight", StringComparison.Ordinal));

    public double Scale => Alpha / (RankStabilized ? Math.Sqrt(Rank) : Rank);

    /// <exception cref="ArgumentException">Nothing would be trained, or not what was meant.</exception>
    internal void Validate()
    {
        if (Rank < 1) throw new ArgumentException($"The rank is {Rank}; it must be at least 1.");
        if (Targets.Count == 0) throw new ArgumentException("No projection gets adapters: there would be nothing to train.");
        if (Targets.Except(AllTargets).FirstOrDefault() is { } unknown)
            throw new ArgumentException($"There is no projection '{unknown}'; known: {string.Join(", ", AllTargets)}.");
    }

    internal void AddTo(TrainingDigest digest)
    {
        digest.Add("adapters").Add(Rank, RankStabilized ? 1L : 0L).Add(Alpha);
        foreach (string target in Targets) digest.Add(target);
        if (Frozen != FrozenForm.Float) digest.Add("frozen").Add((long)Frozen); // else as it always was
    }
}
