using Distill.Data.Problems;
using Distill.Data.Sources.Selection;

namespace Distill.Data.Tests.Sources;

public sealed class ProblemMixtureTests
{
    private readonly ProblemPool pool = PoolSamples.Gather(null,
        new PoolSource(new ListedSource("a", PoolSamples.Questions(300))),
        new PoolSource(new ListedSource("b", PoolSamples.Questions(100, 9000))));

    [Fact]
    public void Without_weights_files_give_all_they_have_and_families_fill_what_is_left()
    {
        int there = pool.All().Count(problem => problem.Split == Split.Train);
        var mixture = Mixture([Entry("a", 0), Entry("b", 1), Family("arithmetic", 1)]);

        mixture.Take(Split.Train, there + 50).CountBy(problem => problem.Source).ToDictionary()["arithmetic"].ShouldBe(50);
        Mixture([Entry("a", 0), Entry("b", 1)]).Take(Split.Train, 10_000).Count.ShouldBe(there);
    }

    [Fact]
    public void Weights_are_shares_and_a_share_that_is_not_there_is_refused()
    {
        var mixture = Mixture([Entry("a", 0, 2), Entry("b", 1, 1), Family("words", 1, 1)]);

        mixture.Take(Split.Train, 100).CountBy(problem => problem.Source).ToDictionary().ShouldBe(
            new Dictionary<string, int> { ["a"] = 50, ["b"] = 25, ["words"] = 25 });
        Should.Throw<InvalidDataException>(() => mixture.Take(Split.Train, 1000)).Message.ShouldMatch(
            @"^a has \d+ train problems, its share is 500: ask for fewer, lower its weight");
    }

    [Fact]
    public void Training_problems_stay_in_the_order_of_the_file_and_more_of_them_contain_the_fewer()
    {
        var mixture = Mixture([Entry("a", 0)]);
        string[] all = Ids(mixture.Take(Split.Train, 10_000)), some = Ids(mixture.Take(Split.Train, 100)),
            few = Ids(mixture.Take(Split.Train, 40));

        some.ShouldBe(all.Where(some.Contains));
        few.ShouldBe(some.Where(few.Contains));
        few.Select(id => Array.IndexOf(all, id)).Max().ShouldBeGreaterThan(60); // not merely the first ones
        Ids(new ProblemMixture([Entry("a", 0)], pool, 8).Take(Split.Train, 40)).ShouldNotBe(few);
    }

    [Fact]
    public void More_test_problems_begin_with_the_fewer()
    {
        var mixture = Mixture([Entry("a", 0), Entry("b", 1)]);
        string[] more = Ids(mixture.Take(Split.Test, 30)), fewer = Ids(mixture.Take(Split.Test, 10));

        more[..10].ShouldBe(fewer);
        fewer.Select(id => id[0]).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public void A_file_that_grows_keeps_the_places_of_the_problems_it_had()
    {
        var rows = PoolSamples.Questions(300);
        string[] Trained(int count) => Ids(new ProblemMixture([Entry("a", 0)],
            PoolSamples.Gather(new PoolOptions { SharedWords = 0, NearDuplicates = 1 },
                new PoolSource(new ListedSource("a", rows[..count]))), 1)
            .Take(Split.Train, 10_000));

        string[] before = Trained(200);
        Trained(300)[..before.Length].ShouldBe(before);
    }

    [Fact]
    public void Problems_of_families_alone_are_those_of_a_set_of_families()
    {
        var part = new ProblemSetPart("arithmetic", 1);
        Ids(new ProblemMixture([new MixtureEntry("arithmetic", part, -1, null, null)], PoolSamples.Gather(), 5).Take(Split.Train, 60))
            .Order()
            .ShouldBe(Ids(ProblemSet.Generate([part], 5, Split.Train, 60)).Order());
    }

    [Fact]
    public void A_split_without_problems_says_how_to_get_some()
    {
        var empty = PoolSamples.Gather(null, new PoolSource(new ListedSource("a", PoolSamples.Questions(5)), Split.Train));
        var mixture = new ProblemMixture([Entry("a", 0)], empty, 1);
        Should.Throw<InvalidDataException>(() => mixture.Take(Split.Test, 10)).Message.ShouldContain("name test_sources");
        mixture.Take(Split.Validation, 10).ShouldBeEmpty();
    }

    private ProblemMixture Mixture(IReadOnlyList<MixtureEntry> entries) => new(entries, pool, 7);

    private static MixtureEntry Entry(string name, int pooled, double? weight = null) => new(name, null, pooled, null, weight);

    private static MixtureEntry Family(string name, int level, double? weight = null) =>
        new(name, new ProblemSetPart(name, level), -1, null, weight);

    private static string[] Ids(IEnumerable<Problem> problems) => [.. problems.Select(problem => problem.Id)];
}
