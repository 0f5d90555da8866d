using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Monitoring;
using Distill.Student.Reinforcement;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>rl.rewards</c>: what completions earn besides the verdict. Every part is measured apart.</summary>
internal sealed record RewardSection : Section
{
    [Option("earned by a correct answer", Minimum = 0, Above = true, Maximum = 100)]
    public double Verdict { get; init; } = 1;

    [Option("earned by thinking marks in their place", Minimum = 0, Maximum = 100)]
    public double Format { get; init; }

    [Option("lost at the token limit, less before it", Minimum = 0, Maximum = 100)]
    public double Length { get; init; }

    [Option("tokens before the limit over which that loss grows", Minimum = 1, Maximum = 1_000_000, Unit = "tokens",
        Default = "a fifth of `max_tokens`")]
    public int LengthMargin { get; init; } = 25;

    [Option("lost by repeating: this times the share of runs of tokens that occurred before", Minimum = 0, Above = true, Maximum = 100,
        Default = "none")]
    public double? Repetition { get; init; }

    [Option("length of such a run", Minimum = 1, Maximum = 1000, Unit = "tokens")]
    public int RepetitionLength { get; init; } = 3;

    [Option("completions without a readable answer are left out of their group instead of counting as wrong")]
    public bool SkipUndecidable { get; init; }

    public override object? DefaultOf(string property, Recipe recipe) =>
        property == nameof(LengthMargin) ? Math.Max(1, LimitOf(recipe) / 5) : null;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(LengthMargin <= LimitOf(recipe), nameof(LengthMargin), "out of range",
            $"allowed: 1..{LimitOf(recipe):N0}, the rl.max_tokens"),
        Rule.Unused(Repetition is null, nameof(RepetitionLength), "nothing is lost by repetition",
            "set rl.rewards.repetition, or leave it out"),
    ];

    internal RewardRule ToRule(Tokenizer tokenizer, int maxTokens)
    {
        List<WeightedReward> parts = [new(new VerdictReward(SkipUndecidable), Verdict)];
        if (Format > 0) parts.Add(new(new FormatReward(tokenizer), Format));
        if (Length > 0) parts.Add(new(new OverlongReward(maxTokens, LengthMargin), Length));
        if (Repetition is { } weight) parts.Add(new(new RepetitionReward(RepetitionLength), weight));
        return new RewardRule(parts);
    }

    private static int LimitOf(Recipe recipe) => ((DistillationRecipe)recipe).Rl.MaxTokens;
}

/// <summary><c>rl.edge</c>: only problems that the student solves sometimes are drawn; asked before the first step.</summary>
internal sealed record EdgeSection : Section
{
    [Option("completions of each problem, drawn as the training's are", Minimum = 2, Maximum = 1024)]
    public int Samples { get; init; } = 4;

    [Option("training problems (with `problems.practice` those) that are asked, from the first; others are not drawn", Minimum = 1,
        Maximum = 100_000_000, Default = "all")]
    public int Problems { get; init; }

    [Option("smallest share of right completions of a problem that is drawn", Minimum = 0, Maximum = 1)]
    public double MinPassRate { get; init; } = 0.1;

    [Option("greatest share of right completions of a problem that is drawn", Minimum = 0, Maximum = 1)]
    public double MaxPassRate { get; init; } = 0.9;

    public override object? DefaultOf(string property, Recipe recipe) =>
        property == nameof(Problems) ? ((DistillationRecipe)recipe).Problems.AskedByReinforcement : null;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        int asked = ((DistillationRecipe)recipe).Problems.AskedByReinforcement;
        yield return Rule.Require(Problems <= asked, nameof(Problems), $"more than the {asked:N0} problems of rl",
            "raise problems.train or problems.practice, or lower this");
        yield return Rule.Require(MinPassRate <= MaxPassRate, nameof(MinPassRate), $"above max_pass_rate, {MaxPassRate}",
            "lower it, or raise max_pass_rate");
    }
}

/// <summary>What happens when an alarm rings.</summary>
internal enum AlarmAction
{
    /// <summary>It is said, measured and reported.</summary>
    Warn,

    /// <summary>The training ends as well, with the weights that did best.</summary>
    Stop,
}

/// <summary><c>rl.alarms</c>: what is watched during reinforcement. A gradient that is not finite always ends it.</summary>
internal sealed record AlarmSection : Section
{
    [Option("`warn`, or `stop`: end the training with the weights that did best")]
    public AlarmAction Action { get; init; } = AlarmAction.Warn;

    [Option("updates of each mean", Minimum = 1, Maximum = 10_000)]
    public int Window { get; init; } = 5;

    [Option("rings when the entropy falls below this share of its first mean; 0: never", Minimum = 0, Maximum = 0.999)]
    public double EntropyShare { get; init; } = 0.2;

    [Option("rings when completions grow beyond this multiple of their first mean", Minimum = 1, Maximum = 1000)]
    public double LengthFactor { get; init; } = 2;

    [Option("rings when more of the completions are truncated; 1: never", Minimum = 0, Maximum = 1)]
    public double TruncatedShare { get; init; } = 0.5;

    [Option("rings when in more of the groups all completions earn the same; 1: never", Minimum = 0, Maximum = 1)]
    public double DeadShare { get; init; } = 0.9;

    [Option("rings when the reward rose by this since the best held-out score and two looks did no better", Minimum = 0, Above = true,
        Maximum = 100)]
    public double RewardGain { get; init; } = 0.1;

    [Option("looks without a better held-out score after which the training ends; 0: never", Minimum = 0, Maximum = 10_000)]
    public int Patience { get; init; }

    internal IReadOnlyList<IAlarm> ToAlarms()
    {
        const int Looks = 2; // one look below the best is noise
        bool stops = Action == AlarmAction.Stop;
        List<IAlarm> alarms =
        [
            new NotFiniteAlarm(), new EntropyCollapse(EntropyShare, Window, stops), new LengthExplosion(LengthFactor, Window, stops),
            new TruncationAlarm(TruncatedShare, Window, stops), new DeadGroupsAlarm(DeadShare, Window, stops),
                new RewardWithoutGain(RewardGain, Looks, Window, stops),
        ];
        if (Patience > 0) alarms.Add(new HeldOutPatience(Patience));
        return alarms;
    }
}
