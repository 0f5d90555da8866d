using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Testing;
using Distill.Teacher;
using Distill.Teacher.Remote.Calls;
using Distill.Verification;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>A sample before a long run: what it shows, what it predicts, what stops the run and what to do about it.</summary>
public sealed class PreflightRunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Its_completions_are_the_runs_own()
    {
        string[] preflight = ["traces.preflight.problems=16", "problems.train=40"];
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Until = "traces" }, preflight);
        observer.Done.ShouldBe(["problems/train", "preflight", "traces"]);
        observer.Notes.ShouldContain(note => note.StartsWith("preflight: at ", StringComparison.Ordinal));
        var with = Read("small");
        string[] journals = Directory.GetFiles(Path.Combine(folder.Path, ".store"), "*.journal", SearchOption.AllDirectories);
        SmallRun.Run(folder, new RunOptions { Name = "without", Until = "traces", Force = "traces" }, "problems.train=40");
        with.Select(TraceDigest.Of).ShouldBe(Read("without").Select(TraceDigest.Of));
        Directory.GetFiles(Path.Combine(folder.Path, ".store"), "*.journal", SearchOption.AllDirectories).ShouldBe(journals);
        journals.Length.ShouldBe(2); // one of the preflight, one of the rest, none of the second run
        var report = File.ReadAllText(Path.Combine(folder.Path, "small", "2-preflight", "preflight.json"));
        report.ShouldContain("\"completions\":16");
        var (_, again) = SmallRun.Run(folder, new RunOptions { Until = "traces" }, preflight);
        again.Done.ShouldBeEmpty();
    }

    [Fact]
    public void A_teacher_that_is_cut_off_stops_the_run_with_exit_code_3_and_the_remedy()
    {
        string recipe = folder.File("small.yaml", SmallRun.Text);
        var failed = CommandLineRun.Of(
            "generate", recipe, "--runs", folder.Path, "--set", "teacher.max_tokens=4", "--set", "traces.preflight.problems=16");
        failed.Code.ShouldBe(3);
        failed.Error.ShouldContain("16 of 16 completions");
        failed.Error.ShouldContain("reach teacher.max_tokens = 4");
        failed.Error.ShouldContain("raise teacher.max_tokens");
        failed.Error.ShouldContain("What was generated is kept");
        failed.Error.ShouldNotContain("export.precision");
        Directory.Exists(Path.Combine(folder.Path, "small-data", "2-traces")).ShouldBeFalse();
        var passed = CommandLineRun.Of(
            "generate", recipe, "--runs", folder.Path, "--set", "traces.preflight.problems=16");
        passed.Code.ShouldBe(0, passed.Error);
        passed.Error.ShouldContain("16 completions: ");
    }

    [Fact]
    public void It_keeps_within_the_tokens_of_the_run()
    {
        string[] loose = ["traces.preflight={ problems: 16, max_truncation: 1, max_undecidable: 1, min_correct: 0 }"];
        var (_, observer) = SmallRun.Run(
            folder, new RunOptions { Until = "preflight" }, [.. loose, "traces.max_tokens_total=400"]);
        observer.Notes.ShouldContain(note => note.Contains("traces.max_tokens_total allows ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("max_truncation: 0.1", "traces.preflight.max_truncation", "teacher.max_tokens")]
    [InlineData("max_refusals: 0.1", "traces.preflight.max_refusals", "mostly by 'no'")]
    [InlineData("max_undecidable: 0.1", "traces.preflight.max_undecidable", "prompt.system")]
    [InlineData("min_correct: 0.9", "traces.preflight.min_correct", "prompt.examples")]
    public void Each_limit_is_named_with_its_option_and_remedy(string limit, string option, string remedy)
    {
        var recipe = SmallRun.Parse($"traces.preflight={{ {limit}, {Loose(limit)} }}");
        var report = Mixed(TokenPrices());
        var fault = PreflightLimits.Exceeded(report, recipe, recipe.Traces.Preflight!).ShouldHaveSingleItem();
        fault.ShouldContain(option);
        fault.ShouldContain(remedy);
    }

    [Fact]
    public void What_the_whole_takes_is_predicted_with_an_interval()
    {
        var report = Mixed(TokenPrices());
        (report.Truncated, report.Correct, report.Undecidable, report.Refused).ShouldBe((2, 4, 2, 2));
        report.CompletionTokens.ShouldBe(55);
        report.RunCompletions.Low.ShouldBe(4000);
        report.RunTokens.Low.ShouldBeInRange(100_000, 220_000);
        report.RunTokens.High.ShouldBeInRange(220_000, 340_000);
        ((report.RunTokens.Low + report.RunTokens.High) / 2).ShouldBe(220_000, 1);
        report.RunCost!.Value.High.ShouldBe(4000 * 20 * 1e-6 + report.RunTokens.High * 10e-6, 1e-3);
        var adaptive = PreflightReport.Of(
            Sample(), VerdictOf, 1000, new SamplingPolicy { Samples = 4, Accepted = 1 }, new SampleBudget(50_000, null), null);
        adaptive.RunCompletions.High.ShouldBeLessThan(4000);
        adaptive.RunCompletions.Low.ShouldBeGreaterThan(1000);
        (adaptive.RunTokens.High, adaptive.RunCost).ShouldBe((50_000, null));
    }

    private static string Loose(string limit) => string.Join(", ", new[]
    {
        "max_truncation: 1", "max_refusals: 1", "max_undecidable: 1", "min_correct: 0",
    }.Where(other => other.Split(':')[0] != limit.Split(':')[0]));

    private static PreflightReport Mixed(TokenPrices prices) =>
        PreflightReport.Of(Sample(), VerdictOf, 1000, new SamplingPolicy { Samples = 4 }, SampleBudget.None, prices);

    private static TokenPrices TokenPrices() => new(1, 10);

    private static Verdict VerdictOf(Trace trace) => trace.Answer switch
    {
        "right" => Verdict.Correct,
        null => Verdict.Undecidable,
        _ => Verdict.Incorrect,
    };

    // Two cut off, two refused, two undecidable, four right; 10 to 100 tokens.
    private static Trace[] Sample() =>
    [
        .. Enumerable.Range(0, 10).Select(i => new Trace
        {
            Problem = new Problem($"p{i}", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "s"),
            Reasoning = "",
            Answer = i is >= 4 and < 8 ? "right" : null,
            PromptTokens = 20,
            CompletionTokens = 10 * (i + 1),
            StopReason = i < 2 ? "length" : "stop",
            Refusal = i is 2 or 3 ? "no" : null,
            SampleIndex = 0,
            Seed = 0,
            Sampling = "{}",
            Teacher = "t",
            TeacherDigest = "",
            TemplateDigest = "",
            TokenizerFingerprint = "",
        }),
    ];

    private List<Trace> Read(string name) => [.. Directory.GetFiles(Path.Combine(folder.Path, name, "2-traces", "data"))
        .Order(StringComparer.Ordinal).SelectMany(TraceFile.Read)];
}
