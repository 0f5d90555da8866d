namespace Distill.Evaluation.Strategies;

/// <summary>Numbers of samples at which a curve has points: 1, 2, 4, … and the budget itself.</summary>
internal static class SampleLevels
{
    public static IReadOnlyList<int> Of(int budget)
    {
        var levels = new List<int>();
        for (int level = 1; level < budget; level *= 2) levels.Add(level);
        return [.. levels, budget];
    }

    public static IReadOnlyList<string> Names(int budget) => [.. Of(budget).Select(level => level == 1 ? "1 sample" : $"{level} samples")];
}
