using Distill.Data.Problems;

namespace Distill.Pipeline.Recipes;

/// <summary><c>problems</c>: what is asked. The three parts never share a problem, whatever the numbers.</summary>
public sealed record ProblemSection
{
    /// <summary>The mixture. At least one entry.</summary>
    public required IReadOnlyList<FamilyShare> Families { get; init; }

    /// <summary>Problems the teacher solves for training. 1..10,000,000, default 4,000.</summary>
    public int Train { get; init; }

    /// <summary>Problems that steer training (the auto-stop of RL). 0..1,000,000, default 200.</summary>
    public int Validation { get; init; }

    /// <summary>Held-out problems of the report. 1..1,000,000, default 400.</summary>
    public int Test { get; init; }

    /// <summary>How many of the test problems get perturbation twins. 0..test, default 100.</summary>
    public int Twins { get; init; }

    internal static ProblemSection Bind(SectionReader reader)
    {
        int test = reader.Integer("test", 400, 1, 1_000_000);
        var section = new ProblemSection
        {
            Families = FamilyShare.BindAll(reader),
            Train = reader.Integer("train", 4000, 1, 10_000_000),
            Validation = reader.Integer("validation", 200, 0, 1_000_000),
            Test = test,
            Twins = reader.Integer("twins", Math.Min(100, test), 0, 1_000_000),
        };
        reader.Require(section.Twins <= test, "twins", $"more than the {test:N0} test problems", "lower problems.twins or raise problems.test");
        reader.Close();
        return section;
    }

    internal IReadOnlyList<ProblemSetPart> ToParts() => [.. Families.Select(share => new ProblemSetPart(share.Name, share.Level, share.Weight))];
}
