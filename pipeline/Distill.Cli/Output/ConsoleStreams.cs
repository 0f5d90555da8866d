namespace Distill.Cli.Output;

/// <summary>The three streams of a process, and which of them a person watches.</summary>
internal sealed record ConsoleStreams(TextReader In, TextWriter Out, TextWriter Error)
{
    public bool InIsTerminal { get; init; }

    public bool OutIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    public static ConsoleStreams OfProcess() => new(Console.In, Console.Out, Console.Error)
    {
        InIsTerminal = !Console.IsInputRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
    };
}
