using Distill.Student.Adapters;

namespace Distill.Pipeline.Recipes;

/// <summary>Which projections of each layer get adapters.</summary>
public enum AdapterTargets
{
    All,

    /// <summary>Query, key, value and output projection.</summary>
    Attention,

    /// <summary>Gate, up and down projection.</summary>
    FeedForward,
}

/// <summary><c>lora</c>: fine-tuning trains low-rank adapters over frozen weights; the student is the merged model.</summary>
public sealed record LoraSection
{
    /// <summary>Rank of the adapters. 1..4,096, default 16.</summary>
    public int Rank { get; init; }

    /// <summary>The adapters' product is scaled by alpha/rank. (0, 100,000], default 32.</summary>
    public double Alpha { get; init; }

    /// <summary>all, attention or feed_forward. Default all.</summary>
    public AdapterTargets Targets { get; init; }

    /// <summary>Scale by alpha/√rank instead. Default false.</summary>
    public bool RankStabilized { get; init; }

    /// <returns>Null when the recipe has no such section: the weights themselves are trained.</returns>
    internal static LoraSection? Bind(SectionReader reader)
    {
        if (!reader.IsPresent) return null;
        var section = new LoraSection
        {
            Rank = reader.Integer("rank", 16, 1, 4096),
            Alpha = reader.Number("alpha", 32, 0, 100_000, above: true),
            Targets = reader.Choice("targets", AdapterTargets.All),
            RankStabilized = reader.Flag("rank_stabilized", false),
        };
        reader.Close();
        return section;
    }

    internal LowRankOptions ToOptions() => new(
        Rank, Alpha, [.. LowRankOptions.AllTargets.Where(IsTarget)], RankStabilized);

    private bool IsTarget(string projection) => Targets switch
    {
        AdapterTargets.All => true,
        AdapterTargets.Attention => projection is "q_proj" or "k_proj" or "v_proj" or "o_proj",
        AdapterTargets.FeedForward => projection is "gate_proj" or "up_proj" or "down_proj",
        _ => throw new InvalidOperationException($"Unknown targets {Targets}."),
    };
}
