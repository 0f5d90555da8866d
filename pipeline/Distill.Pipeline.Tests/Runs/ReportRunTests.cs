using Distill.Data.Traces;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>What a whole run says of itself, held against the files it was made from.</summary>
public sealed class ReportRunTests : IClassFixture<ReportRunTests.FinishedRun>
{
    private static readonly string[] Models = ["teacher", "base", "answer-only", "sft", "rl", "onnx"];

    private readonly FinishedRun finished;
    private readonly RunReport report;

    public ReportRunTests(FinishedRun finished) => (this.finished, report) = (finished, finished.Report);

    [Fact]
    public void Every_way_of_asking_is_a_point_with_its_tokens()
    {
        foreach (string model in Models)
        {
            var points = report.Accuracies.Where(point => point.Model == model).ToDictionary(point => point.Way);
            points.Keys.ShouldContain("greedy");
            points.Keys.ShouldContain("one sample");
            points["vote of 2"].Tokens.ShouldBe(2 * points["one sample"].Tokens, 1e-6);
            var row = report.Evaluations.Single(evaluation => evaluation.Model == model);
            points["greedy"].Accuracy.ShouldBe(row.Greedy);
            points["greedy"].Tokens.ShouldBe(Sheet(model).Average(answer => answer.TokenCount), 1e-6);
            ((points["greedy"].Tokens + points["vote of 2"].Tokens) / 3).ShouldBe(row.MeanTokens, 1e-6);
        }

        report.Accuracies.Where(point => point.Model == "onnx").Select(point => point.Way)
            .ShouldBe(["greedy", "one sample", "vote of 2", "self-consistency, 1 sample", "self-consistency, 2 samples"]);
        report.Accuracies.ShouldAllBe(point => point.Problems == 12 && point.Interval95.High > point.Interval95.Low);
    }

    [Fact]
    public void Lengths_count_every_trace_and_every_answer_once()
    {
        var traces = report.Lengths[0];
        traces.AreTraces.ShouldBeTrue();
        traces.Count.ShouldBe(48);
        traces.Mean.ShouldBe(Traces().Average(trace => trace.CompletionTokens), 1e-9);
        traces.Longest.ShouldBe(Traces().Max(trace => trace.CompletionTokens));
        report.Lengths.Skip(1).Select(length => length.Model).ShouldBe(Models, ignoreOrder: true);
        foreach (var length in report.Lengths)
        {
            length.Classes.Sum(each => each.Right + each.Wrong + each.Undecidable).ShouldBe(length.Count);
            length.Width.ShouldBe(traces.Width);
        }

        report.Lengths.Single(length => length.Model == "teacher").Classes.Sum(each => each.Right)
            .ShouldBe(Sheet("teacher").Count(answer => answer.Greedy));
    }

    [Fact]
    public void The_same_problem_is_shown_as_every_model_answered_it()
    {
        report.SideBySide.ShouldNotBeEmpty();
        foreach (var problem in report.SideBySide)
        {
            problem.Answers.Select(answer => answer.Model).ShouldBe(Models, ignoreOrder: true);
            foreach (var answer in problem.Answers)
            {
                var own = Sheet(answer.Model).Single(each => each.ProblemId == problem.ProblemId);
                (answer.IsRight, answer.Tokens).ShouldBe((own.Greedy, own.TokenCount));
                if (own.Text is not null) answer.Answer.ShouldBe(own.Text);
            }
        }

        report.SideBySide.Select(problem => problem.ProblemId).ShouldBeUnique();
    }

    [Fact]
    public void Verdicts_by_problem_add_up_to_every_share()
    {
        report.Verdicts!.Models.Select(model => model.Model).ShouldBe(Models, ignoreOrder: true);
        foreach (var row in report.Evaluations)
        {
            report.Verdicts.Greedy(row.Model)!.Average().ShouldBe(row.Greedy, 1e-12);
            report.Verdicts.Sampled(row.Model)!.Average().ShouldBe(row.PassAt1!.Value, 1e-12);
            var (originals, twins) = report.Verdicts.Twinned(row.Model)!.Value;
            originals.Average().ShouldBe(row.Twins!.Original, 1e-12);
            twins.Average().ShouldBe(row.Twins.Perturbed, 1e-12);
            originals.Count.ShouldBe(row.Twins.Problems);
        }
    }

    [Fact]
    public void Amounts_are_those_of_the_files()
    {
        var amounts = report.Stages.ToDictionary(stage => stage.Name, stage => stage.Amounts);
        amounts["traces"]!.Rows.ShouldBe(48);
        amounts["traces"]!.Tokens.ShouldBe(Traces().Sum(trace => (long)trace.CompletionTokens));
        amounts["traces"]!.PromptTokens.ShouldBe(Traces().Sum(trace => (long)trace.PromptTokens));
        amounts["rl"]!.Steps.ShouldBe(2);
        amounts["onnx"]!.Bytes.ShouldBeGreaterThan(report.ModelSizes.Single(size => size.Model == "onnx").Bytes);
        amounts["model"]!.Bytes.ShouldBeLessThan(100_000); // its weights are those of the export
        amounts.Values.ShouldAllBe(amount => amount != null && amount.Rows > 0);
    }

    [Fact]
    public void The_page_is_small_and_has_all_of_it()
    {
        string page = File.ReadAllText(Path.Combine(finished.Folder.Path, "small", "report.html"));
        page.Length.ShouldBeLessThan(2_000_000);
        string[] titles = ["Accuracy against tokens", "The same problem, every model", "Lengths and verdicts", "What it took", "Lineage"];
        foreach (string title in titles) page.ShouldContain($"<h2>{title}</h2>");
        page.ShouldContain("parts of the reward, by step");
    }

    [Fact]
    public void Strategies_leave_every_evaluation_as_it_is()
    {
        var plan = PipelineRun.Plan(
            SmallRun.Parse([.. FinishedRun.Overrides.Where(value => !value.Contains("strategies", StringComparison.Ordinal))]),
            new RunOptions { RunsFolder = finished.Folder.Path });
        plan.Stages.Where(stage => stage.Decision != StageDecision.Cached).Select(stage => stage.Name).ShouldBe(["model"]);
        plan.Stages.ShouldNotContain(stage => stage.Name == "strategies");
    }

    [Fact]
    public void A_strategy_that_does_not_exist_is_a_problem_of_the_recipe()
    {
        var fault = Should.Throw<Distill.Pipeline.Recipes.InvalidRecipeException>(() => SmallRun.Parse("evaluation.strategies=luck"));
        fault.Problems.ShouldHaveSingleItem().Path.ShouldBe("evaluation.strategies");
    }

    private List<Trace> Traces() =>
        [.. TraceFile.Read(Path.Combine(finished.Folder.Path, "small", "2-traces", "data", "train-00000.parquet"))];

    private List<SheetAnswer> Sheet(string model) =>
    [
        .. File.ReadLines(Path.Combine(finished.Folder.Path, "small", "8-evaluation", model, "answers.jsonl"))
            .Select(AnswerSheets.Parse).Where(answer => answer.IsOriginal),
    ];

    public sealed class FinishedRun : IDisposable
    {
        internal static readonly string[] Overrides = ["evaluation.strategies=self-consistency", "rl.rewards={ verdict: 1, length: 0.1 }"];

        public FinishedRun() => Report = SmallRun.Run(Folder, null, Overrides).Result.Report!;

        internal TemporaryFolder Folder { get; } = new();

        internal RunReport Report { get; }

        public void Dispose() => Folder.Dispose();
    }
}
