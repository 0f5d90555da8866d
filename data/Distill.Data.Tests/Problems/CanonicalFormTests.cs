using CsCheck;
using Distill.Data.Problems.Families;

namespace Distill.Data.Tests.Problems;

public sealed class CanonicalFormTests
{
    private static readonly (string Says, bool IsSymmetric)[] Sayings = [("likes", false), ("next", true), ("tall", true)];

    /// <summary>Random statements, renamed and shuffled at random.</summary>
    [Fact]
    public void Names_and_order_do_not_matter() => (
        from things in Gen.Int[2, 6]
        from statements in Statements(things)
        from names in Gen.Shuffle(Enumerable.Range(0, things).ToArray())
        from order in Gen.Shuffle(Enumerable.Range(0, statements.Length).ToArray())
        select (things, statements, order.Select(i => Renamed(statements[i], names)).ToArray())).Sample(
        drawn => Of(drawn.things, drawn.Item3) == Of(drawn.things, drawn.statements),
        iter: 500);

    /// <summary>By trying all renamings: the text is the same exactly where one of them makes the statements the same.</summary>
    [Fact]
    public void Only_what_a_renaming_makes_equal_is_equal() => (
        from first in Statements(4)
        from second in Statements(4)
        select (first, second)).Sample(
        drawn => (Of(4, drawn.first) == Of(4, drawn.second)) == Orders(4).Any(names =>
            Spell(drawn.first.Select(statement => Renamed(statement, names))) == Spell(drawn.second)),
        iter: 2000);

    [Fact]
    public void Things_of_different_kinds_are_not_exchanged()
    {
        Relation[] statement = [new("likes", true, 0, 1), new("tall", true, 0)];
        Relation[] other = [new("likes", true, 0, 1), new("tall", true, 1)];

        CanonicalForm.Of(["a", "a"], statement).ShouldBe(CanonicalForm.Of(["a", "a"], other));
        CanonicalForm.Of(["a", "b"], statement).ShouldNotBe(CanonicalForm.Of(["a", "b"], other));
    }

    private static string Of(int things, Relation[] statements) =>
        CanonicalForm.Of([.. Enumerable.Repeat("thing", things)], statements);

    private static Gen<Relation[]> Statements(int things) => (
        from saying in Gen.Int[0, 2]
        from first in Gen.Int[0, things - 1]
        from step in Gen.Int[1, things - 1]
        select saying == 2
            ? new Relation(Sayings[saying].Says, true, first)
            : new Relation(Sayings[saying].Says, Sayings[saying].IsSymmetric, first, (first + step) % things)).Array[1, 4];

    private static Relation Renamed(Relation statement, int[] names) =>
        new(statement.Says, statement.IsSymmetric, [.. statement.Things.Select(thing => names[thing])]);

    private static string Spell(IEnumerable<Relation> statements) => 
        string.Join(',', statements.Select(statement => statement.Text).Order());

    private static IEnumerable<int[]> Orders(int things) => things == 0
        ? [[]]
        : Orders(things - 1).SelectMany(order => Enumerable.Range(0, things).Select(at =>
            order[..at].Append(things - 1).Concat(order[at..]).ToArray()));
}
