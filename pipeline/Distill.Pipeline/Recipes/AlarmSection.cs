using Distill.Student.Monitoring;

namespace Distill.Pipeline.Recipes;

/// <summary>What happens when an alarm rings.</summary>
public enum AlarmAction
{
    /// <summary>It is said, measured and reported.</summary>
    Warn,

    /// <summary>The training ends as well, with the weights that did best.</summary>
    Stop,
}

/// <summary><c>rl.alarms</c>: what is watched during reinforcement. A gradient that is not finite always ends it.</summary>
public sealed record AlarmSection
{
    /// <summary>warn or stop. Default warn.</summary>
    public AlarmAction Action { get; init; }

    /// <summary>Updates of each mean. 1..10,000, default 5.</summary>
    public int Window { get; init; }

    /// <summary>Rings when the entropy falls below this share of its first mean. [0, 1), default 0.2; 0 never.</summary>
    public double EntropyShare { get; init; }

    /// <summary>Rings when completions grow beyond this multiple of their first mean length. 1..1000, default 2.</summary>
    public double LengthFactor { get; init; }

    /// <summary>Rings when more than this share of the completions is truncated. 0..1, default 0.5; 1 never.</summary>
    public double TruncatedShare { get; init; }

    /// <summary>Rings when more than this share of the groups is dead. 0..1, default 0.9; 1 never.</summary>
    public double DeadShare { get; init; }

    /// <summary>Rings when the reward rose by this since the best held-out score, which two looks did not better. (0, 100], default 0.1.</summary>
    public double RewardGain { get; init; }

    /// <summary>Looks at the held-out problems without a better score after which the training ends. 0..10,000, default 0: never.</summary>
    public int Patience { get; init; }

    /// <returns>Null when the recipe has no such section: nothing is watched.</returns>
    internal static AlarmSection? Bind(SectionReader reader)
    {
        if (!reader.IsPresent) return null;
        var section = new AlarmSection
        {
            Action = reader.Choice("action", AlarmAction.Warn),
            Window = reader.Integer("window", 5, 1, 10_000),
            EntropyShare = reader.Number("entropy_share", 0.2, 0, 0.999),
            LengthFactor = reader.Number("length_factor", 2, 1, 1000),
            TruncatedShare = reader.Number("truncated_share", 0.5, 0, 1),
            DeadShare = reader.Number("dead_share", 0.9, 0, 1),
            RewardGain = reader.Number("reward_gain", 0.1, 0, 100, above: true),
            Patience = reader.Integer("patience", 0, 0, 10_000),
        };
        reader.Close();
        return section;
    }

    internal IReadOnlyList<IAlarm> ToAlarms()
    {
        const int Looks = 2; // one look below the best is noise
        bool stops = Action == AlarmAction.Stop;
        List<IAlarm> alarms =
        [
            new NotFiniteAlarm(), new EntropyCollapse(EntropyShare, Window, stops), new LengthExplosion(LengthFactor, Window, stops),
            new TruncationAlarm(TruncatedShare, Window, stops), new DeadGroupsAlarm(DeadShare, Window, stops), new RewardWithoutGain(RewardGain, Looks, Window, stops),
        ];
        if (Patience > 0) alarms.Add(new HeldOutPatience(Patience));
        return alarms;
    }
}
