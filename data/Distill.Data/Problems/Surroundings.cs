using System.Globalization;

namespace Distill.Data.Problems;

/// <summary>Sentences before and after a question that change nothing; empty strings when there are none.</summary>
internal sealed record Surroundings(string Before, string After)
{
    /// <summary>Share of ordinary problems that carry an idle sentence, in per cent: a model must have met them to ignore them.</summary>
    private const int UsualShare = 15;

    public static Surroundings None { get; } = new("", "");

    /// <summary>What an ordinary problem has: mostly nothing.</summary>
    public static Surroundings Draw(RandomSource random, IReadOnlyList<string> taken) =>
        random.Chance(UsualShare) ? None.WithClause(random, taken) : None;

    /// <param name="taken">Names that the question uses; the sentence is about somebody else or about nobody.</param>
    public Surroundings WithClause(RandomSource random, IReadOnlyList<string> taken)
    {
        var clause = Clause(random, Vocabulary.Names.Except(taken).ToList());
        return random.Chance(50) ? this with { Before = Join(Before, clause) } : this with { After = Join(After, clause) };
    }

    /// <summary>Names that no idle sentence uses.</summary>
    public IReadOnlyList<string> FreeNames => [.. Vocabulary.Names.Except(Around("").Split(' '))];

    public string Around(string question) => Join(Join(Before, question), After);

    private static string Clause(RandomSource random, IReadOnlyList<string> free)
    {
        var number = random.Between(2, 20).ToString(CultureInfo.InvariantCulture);
        if (free.Count == 0 || random.Chance(34))
            return $"note : {number} is a number .";
        var name = random.Pick(free);
        var thing = random.Pick(Vocabulary.Objects);
        return random.Chance(50) ? $"{name} has {number} {thing} ." : $"{name} likes {thing} .";
    }

    private static string Join(string first, string second) =>
        first.Length == 0 ? second : second.Length == 0 ? first : $"{first} {second}";
}

/// <summary>Words that all families share. Few on purpose: the tiny models learn every one of them from scratch.</summary>
internal static class Vocabulary
{
    public static IReadOnlyList<string> Names { get; } = ["anna", "ben", "cara", "dan", "eva", "finn", "tom", "zoe"];

    public static IReadOnlyList<string> Objects { get; } = ["apples", "books", "coins", "eggs", "marbles", "stamps"];
}
