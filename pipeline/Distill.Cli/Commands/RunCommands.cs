using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;

namespace Distill.Cli.Commands;

/// <summary><c>distill run</c>: a recipe from its problems to the proven ONNX folder.</summary>
internal sealed class RunCommand : DistillCommand
{
    private readonly RunArguments arguments;
    private readonly Option<string> shard = RunArguments.ShardOption();

    public RunCommand()
        : base("run", "Runs a recipe: what is finished already is taken as it is, the rest is done, and a report is written.")
    {
        arguments = new(this);
        Options.Add(shard);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill run recipes/quickstart.yaml",
        "distill run recipes/quickstart.yaml --name more-epochs --set sft.epochs=3",
        "distill run recipes/quickstart.yaml --force parity",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        return RunExecution.Execute(arguments.RecipeOf(parsed, context), options, context, RunArguments.ShardOf(parsed.GetValue(shard)));
    }
}

/// <summary><c>distill resume</c>: goes on where a run stopped, with the recipe it was started with.</summary>
internal sealed class ResumeCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public ResumeCommand()
        : base("resume", "Continues a run exactly where it stopped, with the recipe and the --set values it was started with.")
    {
        Arguments.Add(run);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples => ["distill resume quickstart", "distill resume runs/quickstart"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        using var hub = new HubAccess(context);
        var (recipe, options) = PipelineRun.Continuation(folder, name, hub);
        return RunExecution.Execute(recipe, options, context);
    }
}

/// <summary><c>distill generate</c>: the dataset-generation job alone.</summary>
internal sealed class GenerateCommand : DistillCommand
{
    private const string NameSuffix = "-data";
    private const int LongestName = 64;
    private readonly RunArguments arguments;
    private readonly Option<string> shard = RunArguments.ShardOption();

    public GenerateCommand()
        : base("generate", "Makes the recipe's data set and nothing else: problems, teacher traces, curated traces (Parquet). "
            + "Default name: the recipe's with -data.")
    {
        arguments = new(this, choosesStages: false);
        Options.Add(shard);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill generate recipes/quickstart.yaml",
        "distill generate recipes/quickstart.yaml --shard 0/4",
        "distill generate recipes/quickstart.yaml --name words-only --set 'problems.families=[{ name: words, level: 2 }]'",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        var recipe = arguments.RecipeOf(parsed, context, makesStudent: false);
        options = options with { Name = options.Name ?? DefaultName(recipe), Until = CurationStage.StageName };
        return RunExecution.Execute(recipe, options, context, RunArguments.ShardOf(parsed.GetValue(shard)));
    }

    private static string DefaultName(Recipe recipe) =>
        recipe.Name[..Math.Min(recipe.Name.Length, LongestName - NameSuffix.Length)] + NameSuffix;
}

/// <summary>Runs a recipe before the user's eyes: what <c>run</c>, <c>resume</c> and <c>generate</c> have in common.</summary>
internal static class RunExecution
{
    private const string Traces = TracesStage.FolderName, Curated = CurationStage.FolderName;

    public static int Execute(Recipe recipe, RunOptions options, CommandContext context, ShardNumber? shard = null)
    {
        OutputPlace.RequireFolder("--runs", Path.Combine(options.RunsFolder, options.Name ?? recipe.Name));
        if (options.Until is null) MachineDiagnosis.RequireTorch();
        long start = context.Clock.GetTimestamp();
        if (shard is null)
            context.Continuation ??= ShellWord.Join(["distill", "resume", options.Name ?? recipe.Name, .. RunsWords(options)]);
        var machines = context.IsJson ? new JsonRunObserver(context.Results, context.Clock) : null;
        IRunObserver observer = machines is null ? new ConsoleRunObserver(context.Progress) : machines;
        var result = shard is { } part
            ? ShardRun.Run((DistillationRecipe)recipe, options, part, observer, context.Clock, context.Cancellation)
            : PipelineRun.Run(recipe, options, observer, context.Clock, context.Cancellation);
        context.Progress.End();
        var elapsed = context.Clock.GetElapsedTime(start);
        machines?.Finish(new
        {
            @event = "run_finished", result.Name, result.Folder, result.ReportPath, result.ModelFolder, result.Report?.Parity,
            result.Report?.Promotion, ended = result.EndedEarly,
            traces = FolderOf(result, Traces), curated = FolderOf(result, Curated), seconds = Math.Round(elapsed.TotalSeconds, 3),
        });
        if (machines is null) Show(result, options.Until is not null, elapsed, context.Results);
        if (result.Report?.Promotion is { } promotion) PromotionOutput.ThrowIfRefused(promotion);
        return ExitCode.Done;
    }

    /// <summary>The <c>--runs</c> that a command line needs to find the run again.</summary>
    public static string[] RunsWords(RunOptions options) =>
        options.RunsFolder == new RunOptions().RunsFolder ? [] : ["--runs", options.RunsFolder];

    private static void Show(RunResult result, bool isDataSet, TimeSpan elapsed, ResultWriter results)
    {
        if (result.Report is { } report)
        {
            var table = ReportTable.Of(report);
            results.Table(table.Header, table.Rows);
            if (report.Parity is { } parity) results.Line($"parity   {Readable.Parity(parity)}");
        }

        if (result.Report?.Promotion is { } promotion) PromotionOutput.Show(promotion, results);
        if (result.EndedEarly is { } ended) results.Line($"ended    {ended}");
        if (result.ReportPath is { } page) results.Line($"report   {page}");
        if (result.ModelFolder is { } model) results.Line($"model    {model}");
        if (isDataSet)
        {
            if (FolderOf(result, Traces) is { } traces) results.Line($"traces   {traces}");
            if (FolderOf(result, Curated) is { } curated) results.Line($"curated  {curated}");
        }

        results.Line($"run      {result.Folder}");
        results.Line($"time     {Readable.Duration(elapsed)}");
    }

    private static string? FolderOf(RunResult result, string stage) =>
        Path.Combine(result.Folder, stage) is var folder && Directory.Exists(folder) ? folder : null;
}

/// <summary><c>distill plan</c>: what <c>run</c> would do, without doing it.</summary>
internal sealed class PlanCommand : DistillCommand
{
    private readonly RunArguments arguments;

    public PlanCommand()
        : base("plan", "Shows what a run would do, what is finished already, why, and how much work remains. Changes nothing.") =>
            arguments = new(this);

    public override IReadOnlyList<string> Examples =>
        ["distill plan recipes/quickstart.yaml", "distill plan recipes/quickstart.yaml --set sft.epochs=3"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var options = arguments.OptionsOf(parsed);
        var plan = PipelineRun.Plan(arguments.RecipeOf(parsed, context), options);
        if (context.IsJson) context.Results.Json(plan);
        context.Results.Line($"{plan.Name} in {plan.Folder}");
        context.Results.Table(["stage", "decision", "reason", "work", "memory"], plan.Stages.Select(Row), words: 4);
        foreach (var (what, where) in plan.Devices) context.Results.Line($"{what}: {where}");
        foreach (string note in plan.Notes) context.Results.Line($"! {note}");
        return ExitCode.Done;
    }

    private static string[] Row(PlannedStage stage) =>
        [stage.Name, Word(stage.Decision), stage.Reason, stage.Work, Memory(stage)];

    private static string Memory(PlannedStage stage) => string.Join(", ", ((string[])
        [Readable.Memory(stage.MemoryBytes), stage.CardMemoryBytes is { } card ? $"{Readable.Memory(card)} of the card" : ""])
        .Where(text => text.Length > 0));

    private static string Word(StageDecision decision) => decision switch
    {
        StageDecision.Run => "run",
        StageDecision.Cached => "cached",
        StageDecision.Skipped => "skipped",
        StageDecision.Depends => "depends",
        _ => throw new ArgumentOutOfRangeException(nameof(decision), decision, "Unknown decision."),
    };
}
