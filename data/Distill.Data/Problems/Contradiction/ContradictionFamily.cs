using Distill.Data.Verification;

namespace Distill.Data.Problems.Contradiction;

/// <summary>
/// Do comparisons such as <c>anna is older than ben .</c> contradict each other? Half of them do, by a cycle of up to 3, 4 or 5 people
/// (levels 1 to 3) among further statements; from level 2 on some are said the other way round. The unsatisfiable twin
/// changes one statement so that the answer turns.
/// </summary>
internal sealed class ContradictionFamily : ProblemFamily<ContradictionContent>
{
    private const string Question = "do these statements contradict each other ?";

    private static readonly (string Above, string Below)[] Relations = [("older", "younger"), ("taller", "shorter")];

    public override string Name => "contradiction";

    public override string Domain => "logic";

    public override IVerifier Verifier { get; } = new YesNoVerifier();

    protected override ContradictionContent? Draw(RandomSource random, int level)
    {
        var people = random.Between(level + 3, level + 5);
        var statements = ComparisonGraph.Draw(random, people, cyclic: random.Chance(50), largestCycle: level + 2)
            .Select(edge => new Comparison(edge.Greater, edge.Smaller, level > 1 && random.Chance(35))).ToList();
        random.Shuffle(statements);
        var (above, below) = random.Pick(Relations);
        var names = random.Sample(Vocabulary.Names, people);
        return new ContradictionContent(statements, names, above, below, Surroundings.Draw(random, names));
    }

    protected override ContradictionContent? Perturb(ContradictionContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => original with { Names = random.Sample(Vocabulary.Names, original.Names.Count) },
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, original.Names) },
        TwinKind.Unsatisfiable => Turned(original, random),
        _ => null,
    };

    protected override string Signature(ContradictionContent content)
    {
        var letters = new Dictionary<int, char>();
        return "contradiction:" + string.Join(' ', content.Statements.Select(s => $"{Letter(letters, s.Greater)}>{Letter(letters, s.Smaller)}"));
    }

    protected override Wording Word(ContradictionContent content)
    {
        var sentences = content.Statements.Select(statement => Sentence(content, statement));
        return new Wording(
            content.Surroundings.Around($"{string.Join(' ', sentences)} {Question}"),
            ChainTrace.Write(content),
            ComparisonGraph.HasCycle(content.Statements) ? "yes" : "no");
    }

    protected override string DrawFact(RandomSource random)
    {
        var (above, below) = random.Pick(Relations);
        var content = new ContradictionContent(
            [new Comparison(0, 1, random.Chance(50))], random.Sample(Vocabulary.Names, 2), above, below, Surroundings.None);
        return $"{Sentence(content, content.Statements[0])} {content.Names[0]} > {content.Names[1]}";
    }

    private static string Sentence(ContradictionContent content, Comparison comparison)
    {
        var (greater, smaller) = (content.Names[comparison.Greater], content.Names[comparison.Smaller]);
        return comparison.Inverse ? $"{smaller} is {content.Below} than {greater} ." : $"{greater} is {content.Above} than {smaller} .";
    }

    /// <summary>One statement redirected, or replaced when redirecting cannot do it, so that the answer turns; everybody stays in the text.</summary>
    private static ContradictionContent? Turned(ContradictionContent original, RandomSource random)
    {
        var people = original.Names.Count;
        var at = random.Below(original.Statements.Count);
        var old = original.Statements[at];
        var changed = random.Chance(50)
            ? old with { Smaller = random.Below(people) }
            : old with { Greater = random.Below(people), Smaller = random.Below(people) };
        var statements = original.Statements.ToArray();
        statements[at] = changed;
        var valid = changed.Greater != changed.Smaller
            && statements.Select(statement => statement.Greater).Distinct().Count() == statements.Length
            && statements.SelectMany(statement => new[] { statement.Greater, statement.Smaller }).Distinct().Count() == people;
        return valid && ComparisonGraph.HasCycle(statements) != ComparisonGraph.HasCycle(original.Statements)
            ? original with { Statements = statements }
            : null;
    }

    private static char Letter(Dictionary<int, char> letters, int person)
    {
        letters.TryAdd(person, (char)('a' + letters.Count));
        return letters[person];
    }
}
