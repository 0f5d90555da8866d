using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tests.Reporting;

public sealed class ProblemVerdictsTests
{
    private static readonly SheetAnswer[] Answers =
    [
        new("words/2", true, 0.75, "1", "1"), new("words/1", false, 0, null, "1"), new("words/2~renamed", true, null, "1", "1"),
        new("words/1~renamed", true, null, "1", "1"), new("words/2~irrelevant", false, null, "1", "1"),
    ];

    [Fact]
    public void Answers_are_found_again_whatever_order_they_came_in()
    {
        var verdicts = ProblemVerdicts.Of([("a", 4, Answers), ("b", 4, [.. Answers.Reverse()])])!;
        verdicts.Models[0].ShouldBe(new ModelVerdicts("a", "01", 4, "0 3", "101"));
        verdicts.Models[1].ShouldBe(verdicts.Models[0] with { Model = "b" });
        verdicts.TwinsOf.ShouldBe("0 1 1");
        verdicts.Greedy("a").ShouldBe([0, 1]);
        verdicts.Sampled("a").ShouldBe([0, 0.75]);
        var (originals, twins) = verdicts.Twinned("a")!.Value;
        originals.ShouldBe([0, 1]);
        twins.ShouldBe([1, 0.5]);
        verdicts.Greedy("nobody").ShouldBeNull();
    }

    [Fact]
    public void Digests_tell_which_problems_they_are()
    {
        string Digest(IEnumerable<SheetAnswer> answers) => ProblemVerdicts.Of([("a", 4, [.. answers])])!.Digest;
        Digest(Answers).ShouldBe(SampleReport.Digest("words/1\nwords/2\n"));
        Digest(Answers.Skip(3)).ShouldNotBe(Digest(Answers));
    }

    [Fact]
    public void Without_samples_or_twins_there_are_none()
    {
        SheetAnswer[] bare = [.. Answers.Where(answer => answer.IsOriginal).Select(answer => answer with { Sampled = null })];
        var verdicts = ProblemVerdicts.Of([("a", 0, bare)])!;
        verdicts.Sampled("a").ShouldBeNull();
        verdicts.Twinned("a").ShouldBeNull();
        ProblemVerdicts.Of([]).ShouldBeNull();
    }

    [Fact]
    public void Models_that_were_asked_other_problems_do_not_fit() =>
        Should.Throw<InvalidOperationException>(() => ProblemVerdicts.Of([("a", 4, Answers), ("b", 4, [.. Answers.Skip(1)])]));
}
