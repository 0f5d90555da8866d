using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Progress;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Service.Fleet;

namespace Distill.Cli.Commands.Fleet;

/// <summary>A run that workers do, before the user's eyes.</summary>
internal static class FleetExecution
{
    /// <param name="log">How its log is written; null where it is shown to people.</param>
    public static int Execute(Recipe recipe, RunOptions options, CommandContext context, string? log)
    {
        if (options.Shared is not null)
            throw new UsageException("--store and --fleet exclude each other: workers share the folder of runs.", "Keep one of them.");
        string name = options.Name ?? recipe.Name, postgres = FleetArguments.Postgres();
        return RunExecution.Execute(recipe, options, context, log, Watch);

        RunResult Watch(IRunObserver observer)
        {
            context.Continuation = ShellWord.Join(["distill", "resume", name, "--fleet", .. RunExecution.RunsWords(options)]);
            using var hub = new HubAccess(context);
            var fleet = FleetRun.Open(options.RunsFolder, postgres, run => Open(options.RunsFolder, run, hub, context), context.Clock);
            fleet.Begin((DistillationRecipe)recipe, options, observer);
            try
            {
                var state = fleet.WatchAsync(name, observer, context.Cancellation).GetAwaiter().GetResult();
                return ResultOf(state, name, options, hub, context);
            }
            catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
            {
                observer.Note($"Workers go on without this command. 'distill fleet stop {name}' stops them.");
                throw;
            }
        }
    }

    /// <summary>A run as this machine sees it.</summary>
    public static SharedRun Open(string runs, string run, HubAccess hub, CommandContext context) =>
        SharedRun.Open(runs, run, hub, context.Clock);

    private static RunResult ResultOf(RunState state, string name, RunOptions options, HubAccess hub, CommandContext context)
    {
        switch (state)
        {
            case { Verdict: RunVerdict.EndedEarly }:
                return new RunResult(name, state.Folder, null, null) { EndedEarly = state.Reason };
            case { Progress: RunProgress.Finished }:
                // Everything is there, and said once more; a machine without the run's devices cannot tell so.
                var run = Open(options.RunsFolder, name, hub, context);
                return run.IsPlannedHere ? run.Report(NoObserver.Instance, context.Cancellation)
                    : new RunResult(name, state.Folder, null, null);
            case { Verdict: RunVerdict.Refused }:
                throw new GateFailedException(state.Reason ?? "A gate refused.");
            default:
                throw new RunFailedException(state.Reason ?? "The run did not come to its end.");
        }
    }
}

/// <summary>A run that others did ended with a fault, which its message has.</summary>
internal sealed class RunFailedException(string message) : Exception(message);
