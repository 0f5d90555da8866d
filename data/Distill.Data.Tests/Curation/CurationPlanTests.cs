using CsCheck;
using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;

namespace Distill.Data.Tests.Curation;

/// <summary>Two passes over traces that nobody holds decide what one over traces in memory decides, in any order of delivery.</summary>
public sealed class CurationPlanTests
{
    private static readonly CurationOptions Everything = new()
    {
        MaxPerProblem = 2,
        Select = TraceSelection.Diverse,
        MinTokens = 3,
        NearDuplicates = 0.9,
        MaxPassRate = 0.9,
        Mixture = new Dictionary<string, double> { ["arithmetic"] = 1, ["words"] = 1 },
        Seed = 5,
    };

    private static readonly Trace[] Traces =
    [
        .. from problem in Enumerable.Range(0, 8)
           from sample in Enumerable.Range(0, 5)
           let trace = SampleTraces.One(problem, (problem + sample) % 4 == 0 ? "13" : "12", $"way {sample % 3} of {problem}")
           select trace with
           {
               SampleIndex = sample / 2, // some tie in all but what they say
               Seed = 1,
               CompletionTokens = 2 + sample,
               Problem = trace.Problem with
               {
                   Domain = problem % 3 == 0 ? "words" : "arithmetic",
                   Text = $"What is 7 + 5? (#{problem / 2})", // pairs of problems ask the same
               },
           },
    ];

    [Fact]
    public void Any_order_of_delivery_gives_every_trace_the_same_grade()
    {
        var expected = Grades(Traces);
        expected.Values.Distinct().Count().ShouldBeGreaterThan(4); // several reasons are met
        Gen.Shuffle(Traces).Sample(
            shuffled => Grades(shuffled).OrderBy(grade => grade.Key).SequenceEqual(expected.OrderBy(grade => grade.Key)), iter: 60);
    }

    [Fact]
    public void In_memory_the_same_comes_out()
    {
        var expected = Grades(Traces);
        foreach (var graded in TraceCuration.Run(Traces, ProblemVerifiers.Standard, Everything).Traces)
            graded.DropReason.ShouldBe(expected[TraceDigest.Of(graded.Trace)]);
    }

    [Fact]
    public void The_summary_counts_and_shows_the_first_of_each_reason()
    {
        string[] answers = ["13", "12", "14", "14", "14", "14"];
        var plan = Surveyed(answers.Select((answer, i) => SampleTraces.One(i, answer)));
        var summary = plan.Decide();
        (summary.Kept, summary.Dropped["wrong"]).ShouldBe((1, 5));
        summary.Examples["wrong"].ShouldBe([0, 2, 3]);
    }

    [Fact]
    public void More_domains_than_a_short_number_has_are_told_apart()
    {
        const int Domains = 33_000;
        var options = new CurationOptions { Mixture = new Dictionary<string, double> { ["domain 32990"] = 1, ["domain 1"] = 0 } };
        var trace = SampleTraces.One(0);
        var plan = Surveyed(
            Enumerable.Range(0, Domains).Select(i => trace with
            {
                Problem = trace.Problem with { Id = $"{i}", Text = $"What is 7 + 5? (#{i})", Domain = $"domain {i}" },
            }), options);
        plan.Decide().Kept.ShouldBe(Domains - 1);
    }

    [Fact]
    public void Another_trace_in_the_second_pass_is_a_fault()
    {
        var plan = Surveyed([SampleTraces.One(0), SampleTraces.One(1)]);
        plan.Decide();
        Should.Throw<InvalidOperationException>(() => plan.Grade(0, SampleTraces.One(1))).Message.ShouldContain("000001");
    }

    [Fact]
    public void Scores_survive_their_file()
    {
        using var folder = new TemporaryFolder();
        LearnabilityScore[] scores = [new("p/1", 0, -1.5f, 7), new("é", 3, 0f, 1)];
        var writer = new Distill.Storage.ArtifactWriter(folder["scores"], "scores", 1);
        LearnabilityFile.Write(writer, "data/s.parquet", scores).Rows.ShouldBe(2);
        LearnabilityFile.Read(folder["scores/data/s.parquet"]).ShouldBe(scores);
        File.WriteAllText(folder["broken.parquet"], "PAR1 no");
        Should.Throw<InvalidDataException>(() => LearnabilityFile.Read(folder["broken.parquet"]).ToList()).Message.ShouldContain("broken");
    }

    private static Dictionary<string, string?> Grades(IReadOnlyList<Trace> traces)
    {
        var plan = Surveyed(traces, Everything);
        plan.Decide();
        return traces.Select((trace, place) => plan.Grade(place, trace))
            .ToDictionary(graded => TraceDigest.Of(graded.Trace), graded => graded.DropReason);
    }

    private static CurationPlan Surveyed(IEnumerable<Trace> traces, CurationOptions? options = null)
    {
        var plan = new CurationPlan(ProblemVerifiers.Standard, options ?? new CurationOptions());
        foreach (var trace in traces) plan.Survey(trace);
        return plan;
    }
}
