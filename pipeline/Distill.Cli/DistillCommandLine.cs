using System.CommandLine;
using System.Reflection;
using Distill.Cli.Commands;
using Distill.Cli.Output;
using Distill.Cli.Parsing;

namespace Distill.Cli;

/// <summary>The whole command line as one call: words in, text and an exit code out.</summary>
internal static class DistillCommandLine
{
    private const string TraceVariable = "DISTILL_TRACE";
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON for machines on standard output, nothing else.",
        Recursive = true };
    private static readonly Option<bool> Verbose = new("--verbose")
        { Description = $"Show where an error comes from (or set {TraceVariable}=1).", Recursive = true };
    private static readonly Option<bool> Help = new("--help", "-h", "-?") { Description = "Show this help.", Recursive = true };
    private static readonly Option<bool> Version = new("--version") { Description = "Show the version." };

    /// <summary>A command is a class in Commands/ and a line here.</summary>
    private static Command Root() =>
        new("distill", "Turns a large reasoning model into a small one: problems, teacher traces, training, ONNX, proof.")
    {
        new RunCommand(),
        new PlanCommand(),
        new ResumeCommand(),
        new GenerateCommand(),
        new PretrainCommand(),
        new EvaluateCommand(),
        new ExportCommand(),
        new VerifyCommand(),
        new ChatCommand(),
        new ServeModelCommand(),
        new TokenizeCommand(),
        new ScoreCommand(),
        new DoctorCommand(),
        new Command("runs", "What has been run: list runs, show one.") { new RunsListCommand(), new RunsShowCommand() },
        Json, Verbose, Help, Version,
    };

    /// <param name="args">Without the program's name.</param>
    /// <param name="cancellation">Ends the command between two steps, with 130.</param>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, ConsoleStreams streams, TimeProvider clock, CancellationToken cancellation)
    {
        var root = Root();
        if (args is ["help", ..]) args = [.. args.Skip(1), "--help"];
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        if (parsed.GetValue(Version) && command == root) return Print(streams, $"distill {ProductVersion}");
        bool asksForHelp = parsed.GetValue(Help) || (command is not DistillCommand && parsed.UnmatchedTokens.Count == 0);
        if (asksForHelp) return Print(streams, HelpText.Of(root, command));

        using var context = new CommandContext(args, streams, parsed.GetValue(Json), clock, cancellation);
        try
        {
            UsageErrors.ThrowIfAny(parsed);
            return ((DistillCommand)command).Execute(parsed, context);
        }
        catch (Exception exception)
        {
            context.Progress.Dispose(); // the message begins on a line of its own
            bool trace = parsed.GetValue(Verbose) || Environment.GetEnvironmentVariable(TraceVariable) == "1";
            return Failure.Of(exception, context).Report(context, trace ? exception.ToString() : null);
        }
    }

    private static string ProductVersion { get; } =
        typeof(DistillCommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static int Print(ConsoleStreams streams, string text)
    {
        streams.Out.WriteLine(text);
        return ExitCode.Done;
    }
}
