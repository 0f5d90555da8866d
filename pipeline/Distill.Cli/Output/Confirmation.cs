namespace Distill.Cli.Output;

/// <summary>What only a person can say. A person at a terminal is asked; a script says it by options, and is never kept waiting.</summary>
internal static class Confirmation
{
    public static bool CanAsk(CommandContext context) =>
        !context.IsJson && context.Streams is { InIsTerminal: true, ErrorIsTerminal: true };

    /// <returns>False for anything but yes, and where nobody can be asked.</returns>
    public static bool Ask(CommandContext context, string question)
    {
        if (!CanAsk(context)) return false;
        return Answer(context, question + " [y/N] ").ToLowerInvariant() is "y" or "yes";
    }

    /// <returns>What was typed; null where nothing was, and where nobody can be asked.</returns>
    public static string? AskText(CommandContext context, string question) =>
        CanAsk(context) && Answer(context, question + " ") is { Length: > 0 } answer ? answer : null;

    private static string Answer(CommandContext context, string question)
    {
        context.Streams.Error.Write(TerminalText.OneLine(question));
        return Task.Run(context.Streams.In.ReadLine).WaitAsync(context.Cancellation).GetAwaiter().GetResult()?.Trim() ?? "";
    }
}
