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

    /// <summary>Lost by a completion that does nothing but repeat itself. (0, 100], default none.</summary>
    public double? Repetition { get; init; }

    /// <summary>Tokens of a run that counts as repeated. 1..1,000, default 3; null without <see cref="Repetition"/>.</summary>
    public int? RepetitionLength { get; init; }

    /// <summary>Whether completions without a readable answer are left out, instead of counting as wrong. Default false.</summary>
    public bool? SkipUndecidable { get; init; }

    /// <returns>Null when the recipe has no such section: the verdict alone.</returns>
    internal static RewardSection? Bind(SectionReader reader, int maxTokens)
    {
        if (!reader.IsPresent) return null;
        int run = reader.Integer("repetition_length", 3, 1, 1000);
        bool repetition = reader.IsGiven("repetition");
        var section = new RewardSection
        {
            Verdict = reader.Number("verdict", 1, 0, 100, above: true),
            Format = reader.Number("format", 0, 0, 100),
            Length = reader.Number("length", 0, 0, 100),
            LengthMargin = reader.Integer("length_margin", Math.Max(1, maxTokens / 5), 1, maxTokens),
            Repetition = reader.Optional("repetition", (r, key) => r.Number(key, 1, 0, 100, above: true)),
            RepetitionLength = repetition ? run : null,
            SkipUndecidable = reader.Optional("skip_undecidable", (r, key) => r.Flag(key, false)),
        };
        reader.Require(repetition || !reader.IsGiven("repetition_length"), "repetition_length", "nothing is lost by repetition", "set rl.rewards.repetition, or leave it out");
        reader.Close();
        return section;
    }

    internal RewardRule ToRule(Tokenizer tokenizer, int maxTokens)
    {
        List<WeightedReward> parts = [new(new VerdictReward(SkipUndecidable ?? false), Verdict)];
        if (Format > 0) parts.Add(new(new FormatReward(tokenizer), Format));
        if (Length > 0) parts.Add(new(new OverlongReward(maxTokens, LengthMargin), Length));
        if (Repetition is { } weight) parts.Add(new(new RepetitionReward(RepetitionLength!.Value), weight));
        return new RewardRule(parts);
    }
}
