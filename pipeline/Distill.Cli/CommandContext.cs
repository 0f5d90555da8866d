using Distill.Cli.Output;
using Distill.Cli.Progress;

namespace Distill.Cli;

/// <summary>Where a command reads and writes, and what may end it. One command at a time; the entry disposes it.</summary>
internal sealed class CommandContext : IDisposable
{
    /// <param name="args">The words that were typed.</param>
    public CommandContext(IReadOnlyList<string> args, ConsoleStreams streams, bool json, TimeProvider clock, CancellationToken cancellation)
    {
        CommandLine = string.Join(' ', args.Select(Quoted).Prepend("distill"));
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

    public void Dispose() => Progress.Dispose();

    /// <summary>A word as a shell takes it literally.</summary>
    public static string Quoted(string word) =>
        word.Length > 0 && word.All(c =>
            char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or '=' or ':' or ',' or '+' or '@' or '%')
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
