using Distill.Student.Reinforcement;

namespace Distill.Pipeline.Recipes;

/// <summary>What a token of a completion costs by its probability ratio.</summary>
public enum SurrogateKind
{
    /// <summary>The ratio, clipped (PPO).</summary>
    Clipped,

    /// <summary>The log-probability, weighted by the ratio up to a cap (CISPO).</summary>
    Capped,

    /// <summary>A smooth gate of the ratio (SAPO).</summary>
    Sapo,

    /// <summary>The log-probability, weighted smoothly by the ratio of the whole completion (VESPO).</summary>
    Vespo,
}

/// <summary>What belongs to which surrogate, and what the words mean to the trainer.</summary>
internal static class SurrogateChoice
{
    private static readonly GammaWeight Positive = new(2, 3), Negative = new(3, 2); // the paper's

    /// <returns>Null where the surrogate has no such number.</returns>
    public static double? Of(SectionReader reader, string key, double fallback, double maximum, bool belongs)
    {
        double value = reader.Number(key, fallback, 0, maximum, above: true);
        return belongs ? value : null;
    }

    public static void Check(SectionReader reader, ReinforcementSection section)
    {
        var kind = section.Surrogate ?? SurrogateKind.Clipped;
        Belong("weight_cap", SurrogateKind.Capped);
        Belong("gate_positive", SurrogateKind.Sapo);
        Belong("gate_negative", SurrogateKind.Sapo);
        Belong("ratio_cap", SurrogateKind.Clipped);
        reader.Require(
            kind != SurrogateKind.Vespo || section.Ratio is null or RatioLevel.Product, "ratio", "vespo weighs a completion by its whole ratio", "write product, or leave it out");
        reader.Require(
            section.ReferenceCorrection is not true || section.ReferenceWeight > 0, "reference_correction", "there is no distance from the reference to correct",
            "set rl.reference_weight, e.g. to 0.001, or leave it out");

        void Belong(string key, SurrogateKind owner)
        {
            string word = owner.ToString().ToLowerInvariant();
            reader.Require(kind == owner || !reader.IsGiven(key), key, $"{kind.ToString().ToLowerInvariant()} has no such bound", $"leave it out, or set rl.surrogate to {word}");
        }
    }

    /// <returns>Null for the clipped one, whose bounds are options of their own.</returns>
    public static IPolicySurrogate? ToSurrogate(this ReinforcementSection section) => section.Surrogate switch
    {
        null or SurrogateKind.Clipped => null,
        SurrogateKind.Capped => new CappedWeightSurrogate(section.WeightCap!.Value),
        SurrogateKind.Sapo => new SoftGateSurrogate(section.GatePositive!.Value, section.GateNegative!.Value),
        SurrogateKind.Vespo => new GammaWeightSurrogate(Positive, Negative),
        _ => throw new InvalidOperationException($"Unknown surrogate {section.Surrogate}."),
    };

    public static RatioLevel ToRatio(this ReinforcementSection section) =>
        section.Ratio ?? (section.Surrogate == SurrogateKind.Vespo ? RatioLevel.Product : RatioLevel.Token);
}
