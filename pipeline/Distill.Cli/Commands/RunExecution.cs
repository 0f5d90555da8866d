using Distill.Cli.Output;
using Distill.Cli.Progress;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary>Runs a recipe before the user's eyes: what <c>run</c>, <c>resume</c> and <c>generate</c> have in common.</summary>
internal static class RunExecution
{
    /// <inheritdoc cref="PipelineRun.Run"/>
    public static int Execute(DistillationRecipe recipe, RunOptions options, CommandContext context)
    {
        long start = context.Clock.GetTimestamp();
        context.Continuation ??= $"distill resume {options.Name ?? recipe.Name}{RunsWords(options)}";
        IRunObserver observer = context.IsJson ? new JsonRunObserver(context.Results, context.Clock)
            : new ConsoleRunObserver(context.Progress);
        var result = PipelineRun.Run(recipe, options, observer, context.Clock, context.Cancellation);
        context.Progress.End();
        var elapsed = context.Clock.GetElapsedTime(start);
        if (context.IsJson)
            context.Results.Json(
                new { @event = "run_finished", result.Name, result.Folder, result.ReportPath, result.ModelFolder, result.Report?.Parity,
                seconds = Math.Round(elapsed.TotalSeconds, 3) });
        else Show(result, elapsed, context.Results);
        return ExitCode.Done;
    }

    /// <summary>The <c>--runs</c> that a command line needs to find the run again.</summary>
    public static string RunsWords(RunOptions options) =>
        options.RunsFolder == new RunOptions().RunsFolder ? "" : $" --runs {CommandContext.Quoted(options.RunsFolder)}";

    private static void Show(RunResult result, TimeSpan elapsed, ResultWriter results)
    {
        if (result.Report is { } report)
        {
            var table = ReportTable.Of(report);
            results.Table(table.Header, table.Rows);
            if (report.Parity is { } parity) results.Line($"parity   {Readable.Parity(parity)}");
        }

        if (result.ReportPath is { } page) results.Line($"report   {page}");
        if (result.ModelFolder is { } model) results.Line($"model    {model}");
        results.Line($"run      {result.Folder}");
        results.Line($"time     {Readable.Duration(elapsed)}");
    }
}
