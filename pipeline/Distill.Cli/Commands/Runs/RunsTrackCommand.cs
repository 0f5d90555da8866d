using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tracking;

namespace Distill.Cli.Commands.Runs;

/// <summary><c>distill runs track</c>: gives trackers what they did not get while the run was at work.</summary>
internal sealed class RunsTrackCommand : DistillCommand
{
    private readonly Argument<string> run = RunReference.Argument();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public RunsTrackCommand()
        : base("track", "Gives MLflow and Weights & Biases what they do not have of a run yet, from its metrics.jsonl. Which of them, the "
            + $"recipe's 'tracking' says, or {TrackerChoice.MlflowVariable} and {TrackerChoice.WandbVariable}=offline.")
    {
        Arguments.Add(run);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples =>
        ["distill runs track quickstart", "MLFLOW_TRACKING_URI=http://localhost:5000 distill runs track runs/quickstart"];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var (folder, name) = RunReference.Read(parsed.GetRequiredValue(run), parsed.GetRequiredValue(runs));
        var (recipe, options) = PipelineRun.Continuation(folder, name);
        var chosen = TrackerChoice.Of(recipe, Environment.GetEnvironmentVariable);
        if (chosen.Faults is [var fault, ..]) throw new UsageException(fault);
        if (chosen.Names.Count == 0)
            throw new UsageException("Nobody is named that could be told.",
                $"Set {TrackerChoice.MlflowVariable}, or {TrackerChoice.WandbVariable}=offline.");
        var given = RunTracking.Track(recipe, new RunFolder(options.RunsFolder, name), chosen, context.Clock);
        if (context.IsJson) context.Results.Json(new { run = name, given });
        foreach (var (tracker, points) in given) context.Results.Line($"{tracker} got {points:N0} measurements of '{name}'.");
        return ExitCode.Done;
    }
}
