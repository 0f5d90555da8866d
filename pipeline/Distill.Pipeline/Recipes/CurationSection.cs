using Distill.Data.Curation;

namespace Distill.Pipeline.Recipes;

/// <summary><c>curation</c>: which graded traces are kept. Wrong, truncated, malformed and repeated ones never are.</summary>
public sealed record CurationSection
{
    /// <summary>Traces kept for one problem at most. 1..256, default 4.</summary>
    public int MaxPerProblem { get; init; }

    internal static CurationSection Bind(SectionReader reader)
    {
        var section = new CurationSection { MaxPerProblem = reader.Integer("max_per_problem", 4, 1, 256) };
        reader.Close();
        return section;
    }

    internal CurationOptions ToOptions() => new() { MaxPerProblem = MaxPerProblem };
}
