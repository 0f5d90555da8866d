using System.CommandLine;
using System.Text;
using System.Text.Json;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Problems;
using Distill.Evaluation;
using Distill.Generation;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill evaluate</c>: how often a model is right, with intervals.</summary>
internal sealed class EvaluateCommand : DistillCommand
{
    private static readonly string[] Strategies = ["greedy", "self-consistency", "best-of-n", "budget", "refine"];
    private readonly Argument<string> model = new("MODEL")
        { Description = "Folder of an exported model (genai_config.json) or a checkpoint (config.json and safetensors)." };
    private readonly Option<string> problems = new("--problems")
    {
        HelpName = "P",
        Description = "Problem file (.jsonl), or families with levels such as arithmetic:2,words:2, whose held-out problems are made.",
        Required = true,
    };

    private readonly Option<string> strategy = CommandOptions.Word("--strategy",
        "How an answer is found; only greedy (with samples beside it) so far.", Strategies, "greedy");
    private readonly Option<int> samples = CommandOptions.Number("--samples",
        "Completions drawn per problem besides the greedy one, for pass@1 and the vote.", 0, 1024, 4);
    private readonly Option<double> temperature = CommandOptions.Number("--temperature", "Of the samples.", 0.01, 10, 1);
    private readonly Option<int> maxTokens = CommandOptions.Number("--max-tokens", "Longest completion.", 1, 1_000_000, 256);
    private readonly Option<int> slots = CommandOptions.Number("--slots", "Completions decoded together; changes the speed only.", 1,
        4096, 64);
    private readonly Option<long> seed = CommandOptions.Number("--seed", "Of the samples and of made problems.", 0, long.MaxValue, 0);
    private readonly Option<int?> limit = CommandOptions.OptionalNumber("--limit",
        $"Number of problems; default {ProblemSource.DefaultCount} made ones, or all of a file.", 1, 10_000_000);
    private readonly Option<bool> twins = new("--twins") { Description = "Ask the problems' perturbation twins as well." };
    private readonly Option<string> output = new("--out") { HelpName = "FILE", Description = "Also write the figures to a file (JSON)." };

    public EvaluateCommand()
        : base("evaluate", "Measures how many problems a model solves: greedy and sampled, by domain, with 95 % intervals.")
    {
        Arguments.Add(model);
        Option[] options = [problems, strategy, samples, temperature, maxTokens, slots, seed, limit, twins, output];
        foreach (var option in options) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill evaluate student/models/tiny-base --problems arithmetic:2",
        "distill evaluate runs/quickstart/6-onnx --problems arithmetic:2,words:2 --limit 400 --twins --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string way = parsed.GetRequiredValue(strategy);
        if (way != Strategies[0])
            throw new UsageException($"--strategy {way} is not available yet.",
                "Use --strategy greedy; --samples n adds pass@1 and the majority vote.");
        ulong start = (ulong)parsed.GetValue(seed);
        var originals = ProblemSource.Load(parsed.GetRequiredValue(problems), parsed.GetValue(limit), start);
        var perturbed = parsed.GetValue(twins) ? ProblemSource.TwinsOf(originals) : [];
        var options = new EvaluationOptions { Seed = start, Samples = parsed.GetValue(samples),
            Temperature = parsed.GetValue(temperature), MaxNewTokens = parsed.GetValue(maxTokens) };
        ModelFolders.RequireModel(parsed.GetRequiredValue(model));
        string twinWords = perturbed.Count > 0 ? $", {perturbed.Count:N0} twins" : "", sampleWords = options.Samples > 0 ? $", greedy and {options.Samples} drawn" : "";
        context.Progress.Begin("evaluate", $"{originals.Count:N0} problems{twinWords}{sampleWords}");
        using var served = ServedModel.Open(parsed.GetRequiredValue(model), batched: true);
        var (result, elapsed) = Measure(served, parsed.GetValue(slots), originals, perturbed, options, context);
        var figures = EvaluationFigures.Of(result, served.Kind, elapsed);
        string json = JsonSerializer.Serialize(figures, ResultWriter.Spelling) + "\n";
        if (parsed.GetValue(output) is { } file) File.WriteAllText(file, json, new UTF8Encoding(false));
        if (context.IsJson) context.Results.Json(figures);
        else EvaluationTables.Show(figures, context.Results);
        return ExitCode.Done;
    }

    private static (EvaluationResult Result, TimeSpan Elapsed) Measure(
        ServedModel served, int slots, IReadOnlyList<Problem> originals, IReadOnlyList<Problem> perturbed, EvaluationOptions options,
        CommandContext context)
    {
        long start = context.Clock.GetTimestamp();
        var evaluator = new Evaluator(served.Generator(slots), served.Encoder);
        var result = evaluator.Run(served.Name, originals, perturbed, options, Show, context.Cancellation);
        context.Progress.End();
        return (result, context.Clock.GetElapsedTime(start));

        void Show(GenerationProgress progress)
        {
            double seconds = context.Clock.GetElapsedTime(start).TotalSeconds;
            double rate = seconds > 0 ? progress.CompletionTokens / seconds : 0;
            context.Progress.Report(new StageProgress(progress.Completions, progress.Total, "completions", "", rate, "tokens/s"));
        }
    }
}
