namespace Distill.Data.Problems.Countdown;

/// <param name="Numbers">In the order of the text, which is the order of the search.</param>
/// <param name="Phrasing">The question with <c>{0}</c> for the numbers and <c>{1}</c> for the target.</param>
internal sealed record CountdownContent(IReadOnlyList<int> Numbers, int Target, string Phrasing, Surroundings Surroundings);
