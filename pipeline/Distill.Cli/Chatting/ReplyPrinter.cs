using Distill.Cli.Output;
using Distill.Client;
using Distill.Tokenization;

namespace Distill.Cli.Chatting;

/// <summary>Prints a reply as it comes: the reasoning between its marks, dim on a terminal, then the answer. One per reply.</summary>
internal sealed class ReplyPrinter(ConsoleStreams streams)
{
    private const string Dim = "\u001b[2m", Normal = "\u001b[0m";
    private readonly bool colours = streams is { OutIsTerminal: true, IsColoured: true };
    private bool reasoning, anything;

    public void Print(ReplyPiece piece)
    {
        string text = TerminalText.Safe(piece.Text);
        if (piece.IsReasoning != reasoning) Switch(piece.IsReasoning);
        // Templates put line ends around the marks; ours are enough.
        if (!anything) text = text.TrimStart();
        if (text.Length == 0) return;
        anything = true;
        streams.Out.Write(text);
        streams.Out.Flush();
    }

    /// <summary>Also after an interruption: the terminal is left in its normal colour.</summary>
    public void End()
    {
        if (reasoning) Switch(false);
        streams.Out.WriteLine();
        streams.Out.Flush();
    }

    private void Switch(bool toReasoning)
    {
        if (toReasoning) streams.Out.Write((colours ? Dim : "") + ThinkMarks.Open);
        else streams.Out.WriteLine(ThinkMarks.Close + (colours ? Normal : ""));
        (reasoning, anything) = (toReasoning, toReasoning);
    }
}
