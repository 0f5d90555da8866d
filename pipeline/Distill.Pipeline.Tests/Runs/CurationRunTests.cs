using System.Text.Json.Nodes;
using Distill.Data.Curation;
using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Curation with rules that need more than the traces: the base student's scores, and the test problems.</summary>
public sealed class CurationRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Traces_that_the_base_student_finds_too_unlikely_are_dropped_by_its_scores()
    {
        SmallRun.Run(folder, new RunOptions { Until = "curated" }, "curation.learnability.min=-100", "problems.train=24");
        var all = Curated();
        var scores = Scores().ToDictionary(score => (score.ProblemId, score.SampleIndex));
        all.Where(graded => graded.Trace.Answer is not null).ShouldAllBe(graded => scores.ContainsKey(KeyOf(graded)));
        scores.Values.ShouldAllBe(score => score.MeanLogProbability < 0 && score.Tokens > 1);
        double median = all.Where(graded => graded.Keep).Select(graded => (double)scores[KeyOf(graded)].MeanLogProbability).Order()
            .ElementAt(all.Count(graded => graded.Keep) / 2);

        string digest = Digest();
        SmallRun.Run(
            folder, new RunOptions { Until = "curated" }, FormattableString.Invariant($"curation.learnability.min={median:R}"),
            "problems.train=24");
        Digest().ShouldBe(digest); // another band asks for no other scores
        var banded = Curated();
        banded.Count(graded => graded.Keep).ShouldBeLessThan(all.Count(graded => graded.Keep));
        banded.Where(graded => graded.DropReason == "too_surprising").ShouldNotBeEmpty();
        banded.Where(graded => graded.Keep).ShouldAllBe(graded => scores[KeyOf(graded)].MeanLogProbability >= (float)median - 1e-5f);
        var counts = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, "small/3-curated/counts.json")))!;
        counts["dropped"]!["too_surprising"]!.GetValue<int>().ShouldBe(banded.Count(graded => graded.DropReason == "too_surprising"));
        counts["examples"]!["too_surprising"]!.AsArray().Count.ShouldBeInRange(1, 3);

        string Digest() => File.ReadAllText(Path.Combine(folder.Path, "small/3-learnability/manifest-0001.json"));
    }

    [Fact]
    public void Families_are_worded_alike_so_their_test_problems_forbid_everything()
    {
        var fault = Should.Throw<InvalidDataException>(() => SmallRun.Run(
            folder, new RunOptions { Until = "curated" }, "curation.contamination_words=3",
            "problems.families=[{ name: words, level: 1 }]", "problems.train=8"));
        fault.Message.ShouldContain("No trace is fit to train on");
        fault.Message.ShouldContain("contaminated");
    }

    private static (string, int) KeyOf(GradedTrace graded) => (graded.Trace.Problem.Id, graded.Trace.SampleIndex);

    private List<GradedTrace> Curated() =>
        [.. Directory.GetFiles(Path.Combine(folder.Path, "small/3-curated/data")).Order().SelectMany(TraceFile.ReadGraded)];

    private IEnumerable<LearnabilityScore> Scores() =>
        Directory.GetFiles(Path.Combine(folder.Path, "small/3-learnability/data")).SelectMany(LearnabilityFile.Read);
}
