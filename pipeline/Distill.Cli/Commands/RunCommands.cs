using System.CommandLine;
using Distill.Cli.Commands.Fleet;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Cli.Watching;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Watching;

namespace Distill.Cli.Commands;

/// <summary><c>distill run</c>: a recipe from its problems to the proven ONNX folder.</summary>
internal sealed class RunCommand : DistillCommand
{
    private readonly RunArguments arguments;
    private readonly Option<string> shard = RunArguments.ShardOption();
    private readonly Option<bool> fleet = FleetArguments.FleetOption();
    private readonly Option<string> log = LogOption.Create();

    public RunCommand()
        : base("run", "Runs a recipe: what is finished already is taken as it is, the rest is done, and a report is written.")
    {
        arguments = new(this);
        Options.Add(shard);
        Options.Add(fleet);
        Options.Add(log);
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
        return RunExecution.Execute(
            arguments.RecipeOf(parsed, context), options, context, parsed.GetValue(log), RunArguments.ShardOf(parsed.GetValue(shard)),
            parsed.GetValue(fleet));
    }
}

/// <summary><c>distill resume</c>: goes on where a run stopped, with the recipe it was started with.</summary>
internal sealed class ResumeCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<bool> fleet = FleetArguments.FleetOption();
    private readonly Option<string?> store = RunArguments.StoreOption();
    private readonly Option<string> log = LogOption.Create();

    public ResumeCommand()
        : base("resume", "Continues a run exactly where it stopped, with the recipe and the --set values it was started with.")
    {
        Arguments.Add(run);
        Options.Add(runs);
        Options.Add(fleet);
        Options.Add(store);
        Options.Add(log);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill resume quickstart", "distill resume runs/quickstart", "distill resume quickstart --fleet"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        using var hub = new HubAccess(context);
        var (recipe, options) = PipelineRun.Continuation(folder, name, hub);
        options = options with { Shared = RunArguments.SharedOf(parsed.GetValue(store)) };
        return RunExecution.Execute(recipe, options, context, parsed.GetValue(log), shard: null, parsed.GetValue(fleet));
    }
}

/// <summary><c>distill generate</c>: the dataset-generation job alone.</summary>
internal sealed class GenerateCommand : DistillCommand
{
    private const string NameSuffix = "-data";
    private const int LongestName = 64;
    private readonly RunArguments arguments;
    private readonly Option<string> shard = RunArguments.ShardOption();
    private readonly Option<bool> fleet = FleetArguments.FleetOption();
    private readonly Option<string> log = LogOption.Create();

    public GenerateCommand()
        : base("generate", "Makes the recipe's data set and nothing else: problems, teacher traces, curated traces (Parquet). "
            + "Default name: the recipe's with -data.")
    {
        arguments = new(this, choosesStages: false);
        Options.Add(shard);
        Options.Add(fleet);
        Options.Add(log);
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
        return RunExecution.Execute(
            recipe, options, context, parsed.GetValue(log), RunArguments.ShardOf(parsed.GetValue(shard)), parsed.GetValue(fleet));
    }

    private static string DefaultName(Recipe recipe) =>
        recipe.Name[..Math.Min(recipe.Name.Length, LongestName - NameSuffix.Length)] + NameSuffix;
}

/// <summary>Runs a recipe before the user's eyes: what <c>run</c>, <c>resume</c> and <c>generate</c> have in common.</summary>
internal static class RunExecution
{
    private const string Traces = TracesStage.FolderName, Curated = CurationStage.FolderName;

    /// <param name="log">As <see cref="LogOption"/> has it.</param>
    /// <param name="shard">The part of it that is done here; null for all of it.</param>
    /// <param name="fleet">Whether workers do it.</param>
    public static int Execute(
        Recipe recipe, RunOptions options, CommandContext context, string? log = null, ShardNumber? shard = null, bool fleet = false)
    {
        string name = options.Name ?? recipe.Name;
        if (fleet && shard is not null) throw new UsageException("--shard and --fleet exclude each other.", "Keep one of them.");
        if (fleet) return FleetExecution.Execute(recipe, options, context, log);
        if (new RunFolder(options.RunsFolder, name).IsWithWorkers)
            throw new UsageException($"Workers have the run '{name}'.",
                $"'distill resume {name} --fleet' watches it, 'distill fleet stop {name}' takes it back.");
        if (options.Until is null) MachineDiagnosis.RequireTorch();
        if (shard is null) context.Continuation ??= ShellWord.Join(["distill", "resume", name, .. RunsWords(options)]);
        return Execute(recipe, options, context, log, observer => shard is { } part
            ? ShardRun.Run((DistillationRecipe)recipe, options, part, observer, context.Clock, context.Cancellation)
            : PipelineRun.Run(recipe, options, observer, context.Clock, context.Cancellation));
    }

    /// <param name="run">Does it, or has it done.</param>
    public static int Execute(
        Recipe recipe, RunOptions options, CommandContext context, string? log, Func<IRunObserver, RunResult> run)
    {
        OutputPlace.RequireFolder("--runs", Path.Combine(options.RunsFolder, options.Name ?? recipe.Name));
        long start = context.Clock.GetTimestamp();
        var machines = context.IsJson ? new JsonRunObserver(context.Results, context.Clock) : null;
        using var telemetry = TelemetryExport.Start("run", options.Name ?? recipe.Name);
        var result = Watched(machines, log, context, run);
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

    // A log takes the place of what is shown to people, on the same stream.
    private static RunResult Watched(
        JsonRunObserver? machines, string? log, CommandContext context, Func<IRunObserver, RunResult> run)
    {
        if (LogOption.Open(log, context) is not { } written)
            return run(machines is null ? new ConsoleRunObserver(context.Progress, context.Clock) : machines);
        var logged = new LoggedRun(written, machines is null ? NoObserver.Instance : machines, context.Clock);
        try
        {
            var result = run(logged);
            logged.Ended(null, result.Report?.Promotion is { Outcome: not PromotionOutcome.Promoted } refused ? refused.Sentence : null);
            return result;
        }
        catch (Exception fault)
        {
            logged.Ended(fault);
            throw;
        }
    }

    /// <summary>The <c>--runs</c> and <c>--store</c> that a command line needs to go on with the run.</summary>
    public static string[] RunsWords(RunOptions options) =>
    [
        .. options.RunsFolder == new RunOptions().RunsFolder ? Array.Empty<string>() : ["--runs", options.RunsFolder],
        .. options.Shared is { } shared ? (string[])["--store", shared.Address] : [],
    ];

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
