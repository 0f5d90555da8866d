using System.Globalization;
using System.Runtime.InteropServices;
using Distill.Cli.Output;
using Distill.Templates;

namespace Distill.Cli.Chatting;

/// <summary>
/// A conversation with a person at a terminal: questions with history and several lines, words that begin with a slash, answers that
/// Ctrl-C stops. Nothing of it is kept but what <c>/save</c> writes. One thread.
/// </summary>
internal sealed class Talk(Conversation conversation, CommandContext context)
{
    private const string Dim = "\u001b[2m", Normal = "\u001b[0m";

    private const string Help = """
        /system TEXT   what the system says from now on; without TEXT: nothing
        /reset         forgets what was said (also /new); the system's words stay
        /save FILE     writes the conversation: FILE.jsonl gets a line more, FILE.md
                       must be new
        /help          this
        /exit          ends (also Ctrl-D)
        Several lines: begin and end with three quotation marks, or end lines with \.
        The arrows up and down bring back earlier lines. Ctrl-C stops an answer.
        """;

    private readonly ConsoleStreams streams = context.Streams;
    private readonly MessageReader reader = new(context.Streams);
    private readonly string dim = context.Streams.IsColoured ? Dim : "", normal = context.Streams.IsColoured ? Normal : "";

    public void Run()
    {
        Say("Ask away; /help says what else you can do, /exit ends.");
        while (Next() is { } message)
        {
            message = message.Trim();
            if (message.Length == 0) continue;
            if (message[0] != '/') Answer(message);
            else if (!Obey(message)) return;
        }
    }

    // Reading from a terminal cannot be cancelled; waiting for it can.
    private string? Next()
    {
        context.Cancellation.ThrowIfCancellationRequested();
        return Task.Run(reader.Read).WaitAsync(context.Cancellation).GetAwaiter().GetResult();
    }

    /// <returns>False when it ends the conversation.</returns>
    private bool Obey(string message)
    {
        string[] words = message.Split((char[])[' ', '\n'], 2);
        string rest = words.Length > 1 ? words[1].Trim() : "";
        switch (words[0])
        {
            case "/exit" or "/quit": return false;
            case "/help": Say(Help); break;
            case "/reset" or "/new":
                conversation.Forget();
                Say("Forgotten.");
                break;
            case "/system":
                conversation.System = rest.Length > 0 ? rest : null;
                Say(rest.Length > 0 ? "The system says so from now on." : "The system says nothing from now on.");
                break;
            case "/save": Save(rest); break;
            default: Say($"There is no {words[0]}; /help names what there is."); break;
        }

        return true;
    }

    private void Save(string path)
    {
        if (path.Length == 0)
        {
            Say("Where to? /save FILE.jsonl or /save FILE.md");
            return;
        }

        try
        {
            SavedConversation.Write(path, conversation);
            Say($"Saved to {path}.");
        }
        catch (Exception fault) when (fault is UsageException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            Say($"Not saved: {fault.Message}");
        }
    }

    private void Answer(string question)
    {
        using var stop = new CancellationTokenSource();
        var printer = new ReplyPrinter(streams);
        try
        {
            using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, pressed => Stop(pressed, stop));
            var reply = conversation.Ask(question, printer.Print, context.Cancellation, stop.Token);
            printer.End();
            Say(Notes(reply));
        }
        catch (Exception fault) when (fault is InvalidDataException or TemplateException)
        {
            printer.End();
            Say($"error: {fault.Message}");
        }
        catch
        {
            printer.End();
            throw;
        }
    }

    /// <summary>The first Ctrl-C is the answer's, the second is the program's.</summary>
    private static void Stop(PosixSignalContext pressed, CancellationTokenSource stop)
    {
        if (stop.IsCancellationRequested) return;
        pressed.Cancel = true;
        stop.Cancel();
    }

    private static string Notes(ChatReply reply)
    {
        double rate = reply.Tokens / Math.Max(reply.Writing.TotalSeconds, 1e-9);
        string notes = string.Create(
            CultureInfo.InvariantCulture,
            $"({reply.Tokens:N0} tokens, {rate:F1} tokens/s, the first after {reply.ToFirstToken.TotalSeconds:F2} s");
        if (reply.StopReason == "stopped") notes += "; stopped";
        if (reply.StopReason == "length") notes += ";\n cut off, --max-tokens allows more";
        if (reply.Forgotten > 0) notes += $";\n the first {reply.Forgotten:N0} messages no longer fit and are not read any more";
        return notes + ")";
    }

    /// <summary>The program's own words, dim.</summary>
    private void Say(string text)
    {
        foreach (string line in text.Split('\n'))
            streams.Out.WriteLine(dim + TerminalText.Safe(line) + normal);
        streams.Out.Flush();
    }
}
