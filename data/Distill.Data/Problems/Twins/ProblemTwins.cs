namespace Distill.Data.Problems.Twins;

/// <summary>
/// The twins of any problem: a generated one's through its family, every other one's by the changes of its text that are safe. Stateless;
/// the same problem always has the same twins.
/// </summary>
internal static class ProblemTwins
{
    /// <returns>
    /// In the order of <see cref="TwinKind"/>; none where no change is safe, of twins, and of problems that a family, in this version, does
    /// not make although their ids say so.
    /// </returns>
    public static IReadOnlyList<Twin> Of(Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ProblemId.TryParseTwin(problem.Id) is not null)
            return [];
        if (ProblemId.TryParse(problem.Id) is { } id && ProblemFamilies.TryGet(id.Family) is { } family && problem.Source == id.Family)
            return IsGenerated(problem, id, family) ? family.Twins(problem) : [];
        return
        [
            .. new[]
            {
                RenamedPeople.Make(problem, Draws(problem, TwinKind.Renamed)),
                IrrelevantClause.Make(problem, Draws(problem, TwinKind.Irrelevant)),
                RecomputedNumbers.Make(problem, Draws(problem, TwinKind.Recomputed)),
            }.OfType<Twin>(),
        ];
    }

    private static bool IsGenerated(Problem problem, ProblemId id, IProblemFamily family) => id.Index >= 0
        && id.Level >= 1 && id.Level <= family.MaxLevel
        && family.Generate(id.Seed, id.Index, id.Split, id.Level).Text == problem.Text;

    private static RandomSource Draws(Problem problem, TwinKind kind) => new("twins", ProblemId.Word(kind), StableHash.Of(problem.Id), 0);
}
