using Distill.Student.Reinforcement;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes;

/// <summary><c>rl.rewards</c>: what completions earn besides the verdict. Every part is measured apart.</summary>
public sealed record RewardSection
{
    /// <summary>Earned by a correct answer. (0, 100], default 1.</summary>
    public double Verdict { get; init; }

    /// <summary>Earned by thinking marks in their place. 0..100, default 0.</summary>
    public double Format { get; init; }

    /// <summary>Lost by a completion at the token limit. 0..100, default 0.</summary>
    public double Length { get; init; }

    /// <summary>Tokens before the limit over which that loss grows. 1..rl.max_tokens, default a fifth of it.</summary>
    public int LengthMargin { get; init; }

    /// <returns>Null when the recipe has no such section: the verdict alone.</returns>
    internal static RewardSection? Bind(SectionReader reader, int maxTokens)
    {
        if (!reader.IsPresent) return null;
        var section = new RewardSection
        {
            Verdict = reader.Number("verdict", 1, 0, 100, above: true),
            Format = reader.Number("format", 0, 0, 100),
            Length = reader.Number("length", 0, 0, 100),
            LengthMargin = reader.Integer("length_margin", Math.Max(1, maxTokens / 5), 1, maxTokens),
        };
        reader.Close();
        return section;
    }

    internal RewardRule ToRule(Tokenizer tokenizer, int maxTokens)
    {
        List<WeightedReward> parts = [new(new VerdictReward(), Verdict)];
        if (Format > 0) parts.Add(new(new FormatReward(tokenizer), Format));
        if (Length > 0) parts.Add(new(new OverlongReward(maxTokens, LengthMargin), Length));
        return new RewardRule(parts);
    }
}
