using System.CommandLine;

namespace Distill.Cli;

/// <summary>One word of the command line: its arguments, its examples, and what it does. Stateless between executions.</summary>
internal abstract class DistillCommand(string name, string description) : Command(name, description)
{
    /// <summary>Command lines that work, for the help.</summary>
    public abstract IReadOnlyList<string> Examples { get; }

    /// <returns>An <see cref="ExitCode"/>; what goes wrong is thrown, see <see cref="Failure"/>.</returns>
    public abstract int Execute(ParseResult parsed, CommandContext context);
}
