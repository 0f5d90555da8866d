using System.CommandLine;
using System.Text;
using System.Text.Json;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Evaluation.Strategies;
using Distill.Generation;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill evaluate</c>: how often a model is right, with intervals.</summary>
internal sealed class EvaluateCommand : DistillCommand
{
    private const string Greedy = "greedy";
    private static readonly string[] Strategies = [Greedy, .. StrategyList.All.Select(strategy => strategy.Name)];
    private readonly Argument<string> model = ModelFolders.Argument();
    private readonly Option<string> problems = new("--problems")
    {
        HelpName = "P",
        Description = "File or pattern (.jsonl, .csv, .parquet, ...), data set's folder, hf://datasets/owner/name, a recipe (its test "
            + "problems), or families with levels such as arithmetic:2,words:2, whose held-out problems are made.",
        Required = true,
    };

    private readonly SourceArguments arguments;

    private readonly Option<string> strategy = CommandOptions.Word("--strategy",
        $"How an answer is found. {Greedy}: the most probable one, with samples beside it; "
        + string.Join("; ", StrategyList.All.Select(way => $"{way.Name}: {way.Description}"))
        + $". All but {Greedy} report accuracy against tokens spent.", Strategies, Greedy);

    private readonly Option<int> samples = CommandOptions.Number("--samples",
        "Completions drawn per problem besides the greedy one, for pass@1 and the vote; self-consistency and best-of-n go up to so many.",
        0, 1024, 4);
    private readonly Option<int> rounds = CommandOptions.Number("--rounds", "Prolongations (budget) or revisions (refine).", 1, 64, 2);
    private readonly Option<string> wait = new("--wait-text")
    {
        HelpName = "TEXT",
        Description = "What makes the model think on (budget); default ' Wait'. The model's tokenizer must know the words.",
        DefaultValueFactory = _ => " Wait",
    };
    private readonly Option<double> temperature =
        CommandOptions.Number("--temperature", "Of the samples; budget and refine are greedy unless it is given.", 0.01, 10, 1);

    private readonly Option<int> maxTokens = CommandOptions.Number("--max-tokens", "Longest completion.", 1, 1_000_000, 256);
    private readonly Option<int> slots =
        CommandOptions.Number("--slots", "Completions decoded together; changes the speed only.", 1, 4096, 64);

    private readonly Option<long> seed = CommandOptions.Number("--seed", "Of the samples and of made problems.", 0, long.MaxValue, 0);
    private readonly Option<int?> limit = CommandOptions.OptionalNumber("--limit",
        $"Number of problems; default {ProblemSource.DefaultCount} made ones, or all of a file.", 1, 10_000_000);
    private readonly Option<bool> twins = new("--twins") { Description = "Ask the problems' perturbation twins as well." };
    private readonly Option<string> engine = ModelFolders.EngineOption();
    private readonly Option<string> device = DeviceOption.OfModel();
    private readonly Option<string> output = new("--out") { HelpName = "FILE", Description = "Also write the figures to a file (JSON)." };

    public EvaluateCommand()
        : base("evaluate", "Measures how many problems a model solves: greedy and sampled, by domain, with 95 % intervals.")
    {
        Arguments.Add(model);
        Option[] options =
            [problems, strategy, samples, rounds, wait, temperature, maxTokens, slots, seed, limit, twins, engine, device, output];
        foreach (var option in options) Options.Add(option);
        arguments = new SourceArguments(this);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill evaluate student/models/tiny-base --problems arithmetic:2",
        "distill evaluate teacher/models/tiny-reasoner --problems countdown:2 --strategy self-consistency --samples 16",
        "distill evaluate runs/own/model --problems data/test.jsonl --verifier math",
        "distill evaluate runs/quickstart/6-onnx --problems arithmetic:2,words:2 --limit 400 --twins --json",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string way = parsed.GetRequiredValue(strategy);
        ulong start = (ulong)parsed.GetValue(seed);
        var originals = ProblemSource.Load(
            parsed.GetRequiredValue(problems), parsed.GetValue(limit), start, arguments, parsed, context);
        var perturbed = parsed.GetValue(twins) ? ProblemSource.TwinsOf(originals) : [];
        var options = new EvaluationOptions
        {
            Seed = start,
            Samples = parsed.GetValue(samples),
            Temperature = parsed.GetValue(temperature),
            MaxNewTokens = parsed.GetValue(maxTokens),
        };
        string folder = HubAccess.Locate(parsed.GetRequiredValue(model), context);
        ModelFolders.RequireModel(folder);
        if (parsed.GetValue(output) is { } file) OutputPlace.RequireFile("--out", file);
        if (way != Greedy) return ExecuteStrategy(StrategyList.All.First(known => known.Name == way), folder, originals, parsed, context);
        string twinWords = perturbed.Count > 0 ? $", {perturbed.Count:N0} twins" : "";
        string sampleWords = options.Samples > 0 ? $", greedy and {options.Samples} drawn" : "";
        context.Progress.Begin("evaluate", $"{originals.Count:N0} problems{twinWords}{sampleWords}");
        using var served = OpenOf(folder, parsed, context);
        var (result, elapsed) = Measure(served, parsed.GetValue(slots), originals, perturbed, options, context);
        var figures = EvaluationFigures.Of(result, served.Kind, elapsed);
        return Show(figures, figures.Show, parsed, context);
    }

    private int ExecuteStrategy(IStrategy way, string folder, IReadOnlyList<Problem> originals, ParseResult parsed, CommandContext context)
    {
        bool sampled = way is SelfConsistency or BestOfN;
        if (parsed.GetValue(twins)) throw new UsageException($"--twins goes with --strategy {Greedy} only.", "Leave one of them out.");
        var options = new StrategyOptions
        {
            Seed = (ulong)parsed.GetValue(seed),
            Budget = Math.Max(1, sampled ? parsed.GetValue(samples) : parsed.GetValue(rounds)),
            Temperature = sampled || parsed.GetResult(temperature) is { Implicit: false } ? parsed.GetValue(temperature) : 0,
            MaxNewTokens = parsed.GetValue(maxTokens),
            WaitText = parsed.GetRequiredValue(wait),
        };
        context.Progress.Begin("evaluate", $"{originals.Count:N0} problems, {way.Name}");
        using var served = OpenOf(folder, parsed, context);
        long start = context.Clock.GetTimestamp();
        var reasoner = new Reasoner(
            served.Generator(parsed.GetValue(slots)), served.Encoder, null, progress => Report(progress, start, context),
            context.Cancellation);
        var report = StrategyEvaluation.Run(served.Name, way, reasoner, originals, options);
        context.Progress.End();
        var figures = StrategyFigures.Of(report, served.Kind, context.Clock.GetElapsedTime(start));
        return Show(figures, figures.Show, parsed, context);
    }

    private OpenedModel OpenOf(string folder, ParseResult parsed, CommandContext context) => OpenedModel.Open(
        folder, batched: true, ModelFolders.EngineOf(parsed, engine), parsed.GetRequiredValue(device), context);

    private int Show(object figures, Action<ResultWriter> forPeople, ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(output) is { } file)
            File.WriteAllText(file, JsonSerializer.Serialize(figures, ResultWriter.Spelling) + "\n", new UTF8Encoding(false));
        if (context.IsJson) context.Results.Json(figures);
        else forPeople(context.Results);
        return ExitCode.Done;
    }

    private static (EvaluationResult Result, TimeSpan Elapsed) Measure(
        OpenedModel served, int slots, IReadOnlyList<Problem> originals, IReadOnlyList<Problem> perturbed, EvaluationOptions options,
        CommandContext context)
    {
        long start = context.Clock.GetTimestamp();
        var evaluator = new Evaluator(served.Generator(slots), served.Encoder);
        var result = evaluator.Run(
            served.Name, originals, perturbed, options, progress => Report(progress, start, context), context.Cancellation);
        context.Progress.End();
        return (result, context.Clock.GetElapsedTime(start));
    }

    private static void Report(GenerationProgress progress, long start, CommandContext context)
    {
        double seconds = context.Clock.GetElapsedTime(start).TotalSeconds;
        double rate = seconds > 0 ? progress.CompletionTokens / seconds : 0;
        context.Progress.Report(new StageProgress(progress.Completions, progress.Total, "completions", "", rate, "tokens/s"));
    }
}
