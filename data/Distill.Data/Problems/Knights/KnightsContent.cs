namespace Distill.Data.Problems.Knights;

/// <param name="Claims">In the order of the text.</param>
/// <param name="Names">By person; persons are numbered by their first appearance.</param>
internal sealed record KnightsContent(IReadOnlyList<Claim> Claims, IReadOnlyList<string> Names, string Question, Surroundings Surroundings)
{
    /// <summary>All consistent worlds, one bit per person, set for knights.</summary>
    public IReadOnlyList<int> Worlds =>
        [.. Enumerable.Range(0, 1 << Names.Count).Where(knights => Claims.All(claim => claim.IsPossible(knights)))];
}
