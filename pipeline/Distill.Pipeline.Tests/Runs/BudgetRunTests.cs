using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.Testing;
using Distill.Storage;
using Distill.Verification;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Adaptive sampling and budgets with the committed teacher: what is asked and said, and what a larger budget does.</summary>
public sealed class BudgetRunTests : IDisposable
{
    private static readonly string[] Sampled = ["teacher.samples=4", "teacher.temperature=1.2"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Solved_problems_are_asked_no_more_and_the_rows_are_those_of_the_whole()
    {
        var all = Traces("all", Sampled);
        var some = Traces("some", [.. Sampled, "traces.accepted_per_problem=1", "traces.give_up_after=3"]);
        some.Count.ShouldBeLessThan(all.Count);
        foreach (var problem in all.GroupBy(trace => trace.Problem.Id))
        {
            var rows = some.Where(trace => trace.Problem.Id == problem.Key).ToList();
            rows.Select(TraceDigest.Of).ShouldBe(problem.Take(rows.Count).Select(TraceDigest.Of));
            (IsRight(rows[^1]) || rows.Count == 3).ShouldBeTrue();
            rows.SkipLast(1).ShouldAllBe(trace => !IsRight(trace));
        }

        var report = Report("some");
        report.Traces.ShouldBe(some.Count);
        report.Right.ShouldBe(some.Count(IsRight));
        (report.Solved + report.GivenUp).ShouldBe(48);
        (report.Unfinished, report.CutOffBy).ShouldBe((0, null));
        report.Difficulty.Sum().ShouldBe(48);
    }

    [Fact]
    public void A_budget_of_tokens_ends_with_what_there_is_says_so_and_a_larger_one_goes_on()
    {
        string[] little = [.. Sampled, "traces.max_tokens_total=2000"];
        var cut = Traces("cut", little);
        cut.Sum(trace => trace.CompletionTokens).ShouldBeInRange(1000, 2000);
        var report = Report("cut");
        report.CutOffBy.ShouldBe("traces.max_tokens_total");
        report.Unfinished.ShouldBeGreaterThan(0);
        Artifact.Open(Path.Combine(folder.Path, "cut", "2-traces")).Manifest.Facts["cut_off_by"].ShouldBe("traces.max_tokens_total");
        var (_, again) = SmallRun.Run(folder, new RunOptions { Name = "cut", Until = "traces" }, little);
        again.Cached.ShouldContain("traces");
        var whole = Traces("cut", [.. Sampled, "traces.max_tokens_total=1000000"]);
        whole.Count.ShouldBe(48 * 4);
        Report("cut").CutOffBy.ShouldBeNull();
        whole.Select(TraceDigest.Of).ShouldBe(Traces("all", Sampled).Select(TraceDigest.Of));
    }

    [Fact]
    public void A_budget_of_time_ends_with_what_there_is_and_continues_from_what_was_kept()
    {
        string[] brief = [.. Sampled, "teacher.slots=4", "traces.max_time=0.1"];
        var clock = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromSeconds(1) };
        var observer = new RecordingObserver();
        Run("timed", observer, clock, brief);
        var cut = Read("timed");
        cut.Count.ShouldBeInRange(1, 48 * 4 - 1);
        observer.Warnings.ShouldContain(warning => warning.Contains("traces.max_time", StringComparison.Ordinal));
        var report = Report("timed");
        report.CutOffBy.ShouldBe("traces.max_time");
        File.Exists(Path.Combine(folder.Path, "timed", "2-traces", WorkTime.FileName)).ShouldBeFalse();
        observer = new RecordingObserver();
        Run("timed", observer, clock, brief);
        observer.Done.ShouldNotContain("traces");
        Run("timed", observer, TimeProvider.System, [.. Sampled, "teacher.slots=4", "traces.max_time=24"]);
        var whole = Read("timed");
        whole.Count.ShouldBe(48 * 4);
        cut.Select(TraceDigest.Of).ShouldAllBe(digest => whole.Select(TraceDigest.Of).Contains(digest));
    }

    [Fact]
    public void Time_spent_is_counted_over_all_continuations()
    {
        var clock = new FakeTimeProvider();
        using (var first = new WorkTime(folder.Path, TimeSpan.FromHours(2), clock))
        {
            first.Begin();
            clock.Advance(TimeSpan.FromHours(1.5));
            first.IsOver.ShouldBeFalse();
        }

        using var second = new WorkTime(folder.Path, TimeSpan.FromHours(2), clock);
        clock.Advance(TimeSpan.FromHours(5)); // nobody worked
        second.Begin();
        second.Deadline.IsCancellationRequested.ShouldBeFalse();
        clock.Advance(TimeSpan.FromHours(0.5));
        (second.IsOver, second.Deadline.IsCancellationRequested).ShouldBe((true, true));
        using var more = new WorkTime(folder.Path, null, clock);
        more.Begin();
        clock.Advance(TimeSpan.FromDays(30));
        (more.IsOver, more.Deadline.IsCancellationRequested).ShouldBe((false, false));
    }

    [Fact]
    public void A_year_is_longer_than_a_timer_and_still_a_budget()
    {
        var clock = new FakeTimeProvider();
        using var time = new WorkTime(folder.Path, TimeSpan.FromHours(10_000), clock);
        time.Begin();
        time.IsOver.ShouldBeFalse();
        clock.Advance(TimeSpan.FromHours(10_001));
        time.IsOver.ShouldBeTrue();
    }

    [Fact]
    public void Prices_decide_only_where_a_cost_does()
    {
        string Key(params string[] overrides) => TracesStageKey(
            ["teacher.endpoint=https://api.example.com/v1", "teacher.model=m", "teacher.slots=", "traces.max_cost=1", .. overrides]);
        Key("teacher.prompt_price=1").ShouldNotBe(Key("teacher.prompt_price=2"));
        TraceSampling.PricesOf(SmallRun.Parse(), null).ShouldBeNull();
    }

    private static string TracesStageKey(string[] overrides) =>
        string.Join(' ', TraceSampling.KeyOf(SmallRun.Parse(overrides)).Select(part => $"{part.Item1}={part.Item2?.ToJsonString()}"));

    [Fact]
    public void A_budget_that_allows_nothing_is_named()
    {
        Should.Throw<InvalidDataException>(() => Traces("none", [.. Sampled, "traces.max_tokens_total=96", "problems.train=600"]))
            .Message.ShouldContain("traces.max_tokens_total is too small");
    }

    private static bool IsRight(Trace trace) =>
        ProblemVerifiers.Standard.Of(trace.Problem).Verify(trace.Answer, trace.Problem) == Verdict.Correct;

    private List<Trace> Traces(string name, string[] overrides)
    {
        SmallRun.Run(folder, new RunOptions { Name = name, Until = "traces" }, overrides);
        return Read(name);
    }

    private List<Trace> Read(string name) => [.. Directory.GetFiles(Path.Combine(folder.Path, name, "2-traces", "data"))
        .Order(StringComparer.Ordinal).SelectMany(TraceFile.Read)];

    private SamplingReport Report(string name) =>
        SamplingReport.Read(Artifact.Open(Path.Combine(folder.Path, name, "2-traces"))).ShouldNotBeNull();

    private void Run(string name, RecordingObserver observer, TimeProvider clock, string[] overrides) => PipelineRun.Run(
        SmallRun.Parse(overrides), new RunOptions { RunsFolder = folder.Path, Name = name, Until = "traces" }, observer, clock,
        TestContext.Current.CancellationToken);
}
