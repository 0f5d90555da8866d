using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands;

/// <summary><c>distill runs ls</c>.</summary>
internal sealed class RunsListCommand : DistillCommand
{
    private readonly Option<string> runs = RunArguments.RunsOption();

    public RunsListCommand()
        : base("ls", "Lists the runs, the last changed first.") => Options.Add(runs);

    public override IReadOnlyList<string> Examples => ["distill runs ls"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string folder = parsed.GetRequiredValue(runs);
        var list = RunCatalogue.List(folder);
        if (context.IsJson) context.Results.Json(new { runs = list });
        else if (list.Count == 0) context.Results.Line($"There are no runs in '{folder}' yet: distill run RECIPE makes one.");
        else context.Results.Table(["run", "state", "stages", "changed"], list.Select(Row), words: 4);
        return ExitCode.Done;
    }

    private static string[] Row(RunSummary run) =>
        [run.Name, run.State, $"{run.Stages.Count(stage => stage.State == "finished")}/{run.Stages.Count}",
            $"{run.Changed.ToLocalTime():yyyy-MM-dd HH:mm}"];
}
