using System.CommandLine;
using System.Reflection;
using Distill.Cli.Assistants;
using Distill.Cli.Commands;
using Distill.Cli.Commands.Exporting;
using Distill.Cli.Commands.Fleet;
using Distill.Cli.Commands.Handovers;
using Distill.Cli.Commands.Runs;
using Distill.Cli.Commands.Schedules;
using Distill.Cli.Commands.Traces;
using Distill.Cli.Output;
using Distill.Cli.Parsing;

namespace Distill.Cli;

/// <summary>The whole command line as one call: words in, text and an exit code out.</summary>
internal static class DistillCommandLine
{
    private const string TraceVariable = "DISTILL_TRACE";

    private static readonly Option<bool> Json =
        new("--json") { Description = "Print JSON for machines on standard output, nothing else.", Recursive = true };

    private static readonly Option<bool> Verbose =
        new("--verbose") { Description = $"Show where an error comes from (or set {TraceVariable}=1).", Recursive = true };

    private static readonly Option<bool> Help = new("--help", "-h", "-?") { Description = "Show this help.", Recursive = true };

    private static readonly Option<bool> Version = new("--version") { Description = "Show the version." };

    /// <summary>A command is a class in Commands/ and a line here.</summary>
    internal static Command Root() =>
        new("distill", "Turns a large reasoning model into a small one: problems, teacher traces, training, ONNX, proof.")
        {
            new InitCommand(),
            new RunCommand(),
            new PlanCommand(),
            new ResumeCommand(),
            new GenerateCommand(),
            new PreflightCommand(),
            new LaunchCommand(),
            new PretrainCommand(),
            new EvaluateCommand(),
            new HandoverCommand(),
            new ExportCommand(),
            new PromoteCommand(),
            new VerifyCommand(),
            new ChatCommand(),
            new ServeModelCommand(),
            new ServeCommand(),
            new Command("schedule", "What runs by itself: list schedules, run one now, pause and resume one.")
            {
                new ScheduleListCommand(), new ScheduleRunCommand(), new SchedulePauseCommand(pauses: true),
                new SchedulePauseCommand(pauses: false),
            },
            new WorkerCommand(),
            new Command("fleet", "Runs that workers do: list workers and runs, try a run again, stop one.")
            {
                new FleetListCommand(), new FleetRetryCommand(), new FleetStopCommand(),
            },
            new TokenizeCommand(),
            new ScoreCommand(),
            new GradeCommand(),
            new PullCommand(),
            new PushCommand(),
            new DoctorCommand(),
            new McpCommand(),
            new SchemaCommand(),
            new Command("problems", "What is asked: look at the problems of a file, a data set or a recipe, and check them.")
            {
                new ProblemsShowCommand(), new ProblemsCheckCommand(),
            },
            new Command("traces", "What teachers wrote: show it, query it, write it for others, read what others wrote.")
            {
                new TracesShowCommand(), new TracesQueryCommand(), new TracesExportCommand(), new TracesImportCommand(),
            },
            new Command("runs", "What has been run: list runs, show one, compare two, track one, remove one.")
            {
                new RunsListCommand(), new RunsShowCommand(), new RunsDiffCommand(), new RunsTrackCommand(), new RunsRemoveCommand(),
            },
            new Command("artefacts", "What has been made: list artefacts, show one, verify, pin, remove what nobody refers to.")
            {
                new ArtefactsListCommand(), new ArtefactsShowCommand(), new ArtefactsVerifyCommand(), new ArtefactsPinCommand(),
                new ArtefactsCollectCommand(),
            },
            new LineageCommand(),
            new StoreProbeCommand(),
            Json, Verbose, Help, Version,
        };

    /// <param name="args">Without the program's name.</param>
    /// <param name="cancellation">Ends the command between two steps, with 130.</param>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, ConsoleStreams streams, TimeProvider clock, CancellationToken cancellation)
    {
        using var context = new CommandContext(args, streams, args.Contains(Json.Name), clock, cancellation);
        try
        {
            return Execute(args is ["help", ..] ? [.. args.Skip(1), Help.Name] : args, context);
        }
        catch (Exception exception)
        {
            context.Progress.Dispose(); // the message begins on a line of its own
            return Report(exception, args, context);
        }
    }

    /// <summary>What a thread of the process did not catch.</summary>
    public static int Report(Exception exception, IReadOnlyList<string> args, ConsoleStreams streams)
    {
        using var context = new CommandContext(args, streams, args.Contains(Json.Name), TimeProvider.System, default);
        return Report(exception, args, context);
    }

    private static int Report(Exception exception, IReadOnlyList<string> args, CommandContext context)
    {
        bool trace = args.Contains(Verbose.Name) || Environment.GetEnvironmentVariable(TraceVariable) == "1";
        return Failure.Of(exception, context).Report(context, trace ? exception.ToString() : null);
    }

    private static int Execute(IReadOnlyList<string> args, CommandContext context)
    {
        var root = Root();
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        if (IsGiven(Version) && command == root) return ShowVersion(context);
        if (IsGiven(Help) || (command is not DistillCommand && parsed.UnmatchedTokens.Count == 0))
        {
            var page = HelpPage.Of(root, command);
            if (context.IsJson) context.Results.Json(page);
            context.Results.Line(page.ToString());
            return ExitCode.Done;
        }

        UsageErrors.ThrowIfAny(parsed);
        return ((DistillCommand)command).Execute(parsed, context);

        // Asking for its value would fail where something wrong was given to it.
        bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };
    }

    private static int ShowVersion(CommandContext context)
    {
        string[] version = typeof(DistillCommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+');
        if (context.IsJson) context.Results.Json(new { name = "distill", version = version[0], commit = version.ElementAtOrDefault(1) });
        context.Results.Line($"distill {version[0]}");
        return ExitCode.Done;
    }
}
