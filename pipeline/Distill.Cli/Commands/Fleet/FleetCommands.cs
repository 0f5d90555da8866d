using System.CommandLine;
using System.Globalization;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Service.Fleet;

namespace Distill.Cli.Commands.Fleet;

/// <summary><c>distill fleet ls</c>: who works, and what waits.</summary>
internal sealed class FleetListCommand : DistillCommand
{
    private readonly Option<string> runs = RunArguments.RunsOption();

    public FleetListCommand()
        : base("ls", "Lists workers with what they do, and the runs that they were given with how far each stage is.") => Options.Add(runs);

    public override IReadOnlyList<string> Examples => ["distill fleet ls --runs /mnt/shared/runs"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var status = FleetStatus.Read(parsed.GetRequiredValue(runs), context.Clock);
        if (context.IsJson) context.Results.Json(new { workers = status.Workers.Select(Shown), status.Runs });
        if (status.Workers.Count == 0) context.Results.Line("There is no worker: distill worker --store DIR starts one.");
        else context.Results.Table(["worker", "state", "queues", "units", "does"], status.Workers.Select(Row), words: 3);
        if (status.Runs.Count > 0)
            context.Results.Table(["run", "stage", "queue", "units", "set aside"], status.Runs.SelectMany(Rows), words: 3);
        return ExitCode.Done;
    }

    private static object Shown(WorkerStatus worker) => new
    {
        worker.Note.Name, worker.State, worker.Note.Host, worker.Note.Process, worker.Note.Queues, worker.Note.Device, worker.Note.Began,
        worker.Note.Written, worker.Note.Units, worker.Note.Doing, worker.Note.Trouble,
    };

    private static string[] Row(WorkerStatus worker)
    {
        var note = worker.Note;
        string what = note.Doing is not { } doing ? note.Trouble ?? ""
            : $"{doing.Stage} of {doing.Run}, {new UnitRange(doing.First, doing.End)}, since {doing.Since.ToLocalTime():HH:mm} "
                + doing.Detail;
        return [note.Name, worker.State.ToString().ToLowerInvariant(), string.Join(',', note.Queues), Number(note.Units), what];
    }

    private static IEnumerable<string[]> Rows(FleetRunStatus run) => run.Stages.Select(stage => (string[])
    [
        run.Run, stage.Stage, stage.HasWorkers ? stage.Queue : $"{stage.Queue} (no worker)",
        stage.Units is { } units ? $"{Number(stage.Done)}/{Number(units)}" : Readable.None,
        string.Join(", ", stage.SetAside.Select(Number)),
    ]);

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}

/// <summary><c>distill fleet retry</c>: a run that failed or was stopped goes to the workers again.</summary>
internal sealed class FleetRetryCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public FleetRetryCommand()
        : base("retry", "Gives a run that failed or was stopped to the workers again and does not wait for it. What is made stays; "
            + "units that were set aside because they ended their workers are tried anew.")
    {
        Arguments.Add(run);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples => ["distill fleet retry nightly-20261128 --runs /mnt/shared/runs"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        using var hub = new HubAccess(context);
        var (recipe, options) = PipelineRun.Continuation(folder, name, hub);
        var fleet = FleetRun.Open(
            folder, FleetArguments.Postgres(), one => FleetExecution.Open(folder, one, hub, context), context.Clock);
        fleet.Begin((DistillationRecipe)recipe, options, new ConsoleRunObserver(context.Progress, context.Clock));
        if (context.IsJson) context.Results.Json(new { run = name, given = true });
        context.Results.Line($"The workers have '{name}'. 'distill resume {name} --fleet' watches it.");
        return ExitCode.Done;
    }
}

/// <summary><c>distill fleet stop</c>: takes a run back from the workers.</summary>
internal sealed class FleetStopCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public FleetStopCommand()
        : base("stop", "Takes a run back from the workers, who end what they do of it at a safe point. What is made stays.")
    {
        Arguments.Add(run);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples => ["distill fleet stop nightly-20261128 --runs /mnt/shared/runs"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        RunCatalogue.Require(folder, name);
        bool was = FleetRun.Stop(folder, name, "taken back from the workers", context.Clock);
        if (context.IsJson) context.Results.Json(new { run = name, stopped = was });
        context.Results.Line(was ? $"'{name}' is taken back. 'distill fleet retry {name}' gives it to them again."
            : $"The workers do not have '{name}'.");
        return ExitCode.Done;
    }
}
