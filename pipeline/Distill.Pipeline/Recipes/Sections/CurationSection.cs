using Distill.Data.Curation;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary>
/// <c>curation</c>: which graded traces are kept. Wrong, truncated, refused, malformed and repeated ones never are; every other rule is off
/// until it is given its number.
/// </summary>
internal sealed record CurationSection : Section
{
    [Option("traces kept of one problem at most", Minimum = 1, Maximum = 256)]
    public int MaxPerProblem { get; init; } = 4;

    [Option("which right traces of a problem those are: the first, the shortest, or those that resemble each other least")]
    public TraceSelection Select { get; init; }

    [Option("shortest completion", Minimum = 0, Maximum = 10_000_000, Unit = "tokens")]
    public int MinTokens { get; init; }

    [Option("longest completion", Minimum = 1, Maximum = 10_000_000, Unit = "tokens", Default = "no limit")]
    public int? MaxTokens { get; init; }

    [Option("greatest share of letters in scripts that the problem is not written in, e.g. 0.05; 1 allows any", Minimum = 0, Maximum = 1)]
    public double MaxForeignLetters { get; init; } = 1;

    [Option("drop answers without `\\boxed{…}`")]
    public bool RequireBoxed { get; init; }

    [Option("drop texts that end in the same words so many times in a row (24 words or more in all), e.g. 4", Minimum = 2, Maximum = 1000,
        Default = "off")]
    public int? LoopRepeats { get; init; }

    [Option("greatest share of lines that stood before in the same text, e.g. 0.5; 1 allows any", Minimum = 0, Maximum = 1)]
    public double MaxRepeatedLines { get; init; } = 1;

    [Option("resemblance from which two traces of a problem count as one, e.g. 0.8 (estimated by MinHash over runs of three words)",
        Minimum = 0, Above = true, Maximum = 1, Default = "only equal ones do")]
    public double? NearDuplicates { get; init; }

    [Option("smallest share of right traces that a problem must have", Minimum = 0, Maximum = 1)]
    public double MinPassRate { get; init; }

    [Option("greatest share of right traces that a problem may have: below 1 drops those that the teacher always solves", Minimum = 0,
        Maximum = 1)]
    public double MaxPassRate { get; init; } = 1;

    [Option("drop traces that share so many words in a row with a test problem, e.g. 8. Not for generated families, whose problems are "
        + "worded alike on purpose", Minimum = 3, Maximum = 100, Unit = "words", Default = "off")]
    public int? ContaminationWords { get; init; }

    [Option("drop traces that the base student finds too unlikely or too likely: one pass of it over the traces", Default = "off")]
    public LearnabilitySection? Learnability { get; init; }

    [Option("shares of domains among what is kept; the scarcest keeps all it has", Minimum = 1, Maximum = 1000,
        Default = "as they come")]
    public IReadOnlyList<DomainShare>? Mixture { get; init; }

    [Option(Recipe.OwnSeed, Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(MinTokens <= (MaxTokens ?? int.MaxValue), nameof(MinTokens), "more than the longest completion",
            "lower curation.min_tokens or raise curation.max_tokens", nameof(MaxTokens)),
        Rule.Require(MinPassRate <= MaxPassRate, nameof(MinPassRate), "more than the greatest pass rate",
            "lower curation.min_pass_rate or raise curation.max_pass_rate", nameof(MaxPassRate)),
        Rule.Require(Mixture is null || Mixture.Select(share => share.Domain).Distinct().Count() == Mixture.Count, nameof(Mixture),
            "the same domain is listed twice", "keep one of them"),
        Rule.Require(Mixture is null || Mixture.Any(share => share.Weight > 0), nameof(Mixture), "no domain has a share",
            "give one a weight above 0, or leave mixture out"),
        Rule.Unused(Mixture is null, nameof(Seed), "nothing is drawn without a mixture", "leave it out, or add curation.mixture"),
    ];

    internal CurationOptions ToOptions() => new()
    {
        MaxPerProblem = MaxPerProblem,
        Select = Select,
        MinTokens = MinTokens,
        MaxTokens = MaxTokens ?? int.MaxValue,
        MaxForeignLetters = MaxForeignLetters,
        RequireBoxed = RequireBoxed,
        Loops = LoopRepeats ?? 0,
        MaxRepeatedLines = MaxRepeatedLines,
        NearDuplicates = NearDuplicates ?? 0,
        MinPassRate = MinPassRate,
        MaxPassRate = MaxPassRate,
        MinLogProbability = Learnability?.Min ?? double.NegativeInfinity,
        MaxLogProbability = Learnability?.Max ?? double.PositiveInfinity,
        Mixture = (Mixture ?? []).ToDictionary(share => share.Domain, share => share.Weight),
        Seed = (ulong)Seed,
    };
}

/// <summary><c>curation.learnability</c>: a band of mean log-probabilities under the student before it learns.</summary>
internal sealed record LearnabilitySection : Section
{
    [Option("drop traces with a smaller mean log-probability, e.g. -3: the student could only learn them by heart", Minimum = -100,
        Maximum = 0, Unit = "nats per token", Default = "off")]
    public double? Min { get; init; }

    [Option("drop traces with a greater mean log-probability, e.g. -0.05: the student writes them already", Minimum = -100, Maximum = 0,
        Unit = "nats per token", Default = "off")]
    public double? Max { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Min is not null || Max is not null, nameof(Min), "neither end of the band is given",
            "set min, max or both, or leave learnability out"),
        Rule.Require(Min is null || Max is null || Min < Max, nameof(Min), "not below the greatest", "lower min or raise max", nameof(Max)),
    ];
}

/// <summary>One entry of <c>curation.mixture</c>.</summary>
internal sealed record DomainShare : Section
{
    [Option("what problems call their domain, e.g. `arithmetic`", Required = true)]
    public string Domain { get; init; } = "";

    [Option("share relative to the other entries; 0 drops the domain", Minimum = 0, Maximum = 1000)]
    public double Weight { get; init; } = 1;
}
