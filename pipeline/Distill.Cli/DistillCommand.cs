using System.CommandLine;
using Distill.Cli.Output;
using Distill.Cli.Progress;

namespace Distill.Cli;

/// <summary>One word of the command line: its arguments, its examples, and what it does. Stateless between executions.</summary>
internal abstract class DistillCommand(string name, string description) : Command(name, description)
{
    /// <summary>Command lines that work, for the help.</summary>
    public abstract IReadOnlyList<string> Examples { get; }

    /// <returns>An <see cref="ExitCode"/>; what goes wrong is thrown, see <see cref="Failure"/>.</returns>
    public abstract int Execute(ParseResult parsed, CommandContext context);
}

/// <summary>What the process says to scripts.</summary>
internal static class ExitCode
{
    public const int Done = 0, Fault = 1, Usage = 2, GateFailed = 3, Interrupted = 130;
}

/// <summary>The command cannot work as it was typed: exit code 2.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="hint">What to type instead; may be empty.</param>
internal sealed class UsageException(string message, string hint = "") : Exception(message)
{
    public string Hint { get; } = hint;
}

/// <summary>Where a command reads and writes, and what may end it. One command at a time; the entry disposes it.</summary>
internal sealed class CommandContext : IDisposable
{
    /// <param name="args">The words that were typed.</param>
    public CommandContext(IReadOnlyList<string> args, ConsoleStreams streams, bool json, TimeProvider clock, CancellationToken cancellation)
    {
        CommandLine = ShellWord.Join(["distill", .. args]);
        (Streams, IsJson, Clock, Cancellation) = (streams, json, clock, cancellation);
        Results = new ResultWriter(streams, json);
        Progress = ProgressDisplay.Create(streams, clock);
    }

    /// <summary>What was typed, ready to be typed again.</summary>
    public string CommandLine { get; }

    public ConsoleStreams Streams { get; }

    /// <summary>Results are for machines: nothing but JSON on standard output.</summary>
    public bool IsJson { get; }

    public TimeProvider Clock { get; }

    public CancellationToken Cancellation { get; }

    /// <summary>Standard output.</summary>
    public ResultWriter Results { get; }

    /// <summary>Standard error.</summary>
    public ProgressDisplay Progress { get; }

    /// <summary>The command line that continues an interrupted command; null where nothing is lost by starting over.</summary>
    public string? Continuation { get; set; }

    /// <summary>A line of standard input, null at its end. Reading it cannot be cancelled; waiting for it can.</summary>
    /// <exception cref="OperationCanceledException">The command is to end.</exception>
    public string? NextLine()
    {
        Cancellation.ThrowIfCancellationRequested();
        return Task.Run(Streams.In.ReadLine).WaitAsync(Cancellation).GetAwaiter().GetResult();
    }

    public void Dispose() => Progress.Dispose();
}
