namespace Distill.Student.Monitoring;

/// <summary>The looks at the held-out problems so far.</summary>
internal static class HeldOutScores
{
    /// <summary>The update with the best score, the earliest among equals, and how many looks came after it; null before the first look.</summary>
    public static (TrainingMoment Best, int Since)? Best(IReadOnlyList<TrainingMoment> history)
    {
        var looks = history.Where(moment => double.IsFinite(moment.HeldOut)).ToList();
        if (looks.Count == 0) return null;
        int best = looks.FindIndex(look => look.HeldOut == looks.Max(other => other.HeldOut));
        return (looks[best], looks.Count - 1 - best);
    }
}
