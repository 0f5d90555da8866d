namespace Distill.Cli.Output;

/// <summary>May something be removed? A person at a terminal is asked; a script says <c>--yes</c>, and is never kept waiting.</summary>
internal static class Confirmation
{
    public static bool CanAsk(CommandContext context) =>
        !context.IsJson && context.Streams is { InIsTerminal: true, ErrorIsTerminal: true };

    /// <returns>False for anything but yes, and where nobody can be asked.</returns>
    public static bool Ask(CommandContext context, string question)
    {
        if (!CanAsk(context)) return false;
        context.Streams.Error.Write(TerminalText.OneLine(question) + " [y/N] ");
        string? answer = Task.Run(context.Streams.In.ReadLine).WaitAsync(context.Cancellation).GetAwaiter().GetResult();
        return answer?.Trim().ToLowerInvariant() is "y" or "yes";
    }
}
