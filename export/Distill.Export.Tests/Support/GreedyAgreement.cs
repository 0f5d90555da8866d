namespace Distill.Export.Tests.Support;

/// <summary>
/// Greedy tokens of two runtimes: equal, or until a choice so close that the rounding which the runtimes differ in may decide it. After
/// such a choice they read different texts.
/// </summary>
internal static class GreedyAgreement
{
    /// <param name="tolerance">How far logits may be apart, as a share of the largest.</param>
    /// <returns>Tokens that are equal.</returns>
    public static int Require(IReadOnlyList<int> expected, (int[] Tokens, float[][] Logits) actual, double tolerance, string what)
    {
        for (int i = 0; i < expected.Count; i++)
        {
            if (actual.Tokens[i] == expected[i]) continue;
            float[] logits = actual.Logits[i];
            double gap = logits[actual.Tokens[i]] - logits[expected[i]], largest = logits.Max(Math.Abs);
            gap.ShouldBeLessThanOrEqualTo(2 * tolerance * largest, $"{what}: token {i} is {actual.Tokens[i]} instead of {expected[i]}");
            return i;
        }

        return expected.Count;
    }
}
