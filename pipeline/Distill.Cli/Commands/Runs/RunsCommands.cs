using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill runs ls</c>.</summary>
internal sealed class RunsListCommand : DistillCommand
{
    private readonly Option<string> runs = RunArguments.RunsOption();
    private readonly Option<string?> store = ArtefactOutput.StoreOption();

    public RunsListCommand()
        : base("ls", "Lists the runs, the last changed first.")
    {
        Options.Add(runs);
        Options.Add(store);
    }

    public override IReadOnlyList<string> Examples => ["distill runs ls"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (parsed.GetValue(store) is { } address)
        {
            using var shared = SharedArtefacts.Open(address, context);
            return shared.ListRuns();
        }

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

/// <summary><c>distill runs show</c>.</summary>
internal sealed class RunsShowCommand : DistillCommand
{
    private const int DigestLength = 12;
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public RunsShowCommand()
        : base("show", "Shows the stages of a run: state, time, digest of the result, and what came out.")
    {
        Arguments.Add(run);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples => ["distill runs show quickstart", "distill runs show quickstart --json"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        var summary = RunCatalogue.Find(folder, name);
        if (context.IsJson) context.Results.Json(summary);
        context.Results.Line($"{summary.Name}: {summary.State}, {summary.Folder}");
        context.Results.Table(["stage", "state", "time", "digest", "result"], summary.Stages.Select(Row), words: 5);
        return ExitCode.Done;
    }

    private static string[] Row(StageRecord stage) =>
    [
        stage.Name,
        stage.State,
        stage.Seconds is { } seconds ? Readable.Duration(TimeSpan.FromSeconds(seconds)) : Readable.None,
        stage.Digest?[..Math.Min(stage.Digest.Length, DigestLength)] ?? Readable.None,
        stage.Summary,
    ];
}
