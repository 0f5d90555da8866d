using System.Text;
using Distill.Cli.Output;

namespace Distill.Cli.Chatting;

/// <summary>
/// What a person at a terminal says next: a line, edited key by key where the terminal can, or several lines, after one that begins with
/// three quotation marks up to such marks again, or while lines end with a backslash. One thread.
/// </summary>
internal sealed class MessageReader(ConsoleStreams streams)
{
    private const string Block = "\"\"\"", First = "> ", Next = ". ";
    private const string ToStart = "\r\u001b[K";
    private readonly EditedLine line = new();

    /// <returns>Null at the end of the input.</returns>
    public string? Read()
    {
        if (ReadLine(First) is not { } first) return null;
        if (first.TrimStart().StartsWith(Block, StringComparison.Ordinal)) return ReadBlock(first.TrimStart()[Block.Length..]);
        var whole = new StringBuilder();
        string? last = first;
        while (last is not null && last.EndsWith('\\'))
        {
            whole.Append(last, 0, last.Length - 1).Append('\n');
            last = ReadLine(Next);
        }

        return whole.Append(last).ToString();
    }

    private string ReadBlock(string? last)
    {
        var lines = new List<string>();
        while (last is not null)
        {
            if (last.TrimEnd().EndsWith(Block, StringComparison.Ordinal))
            {
                lines.Add(last.TrimEnd()[..^Block.Length]);
                break;
            }

            lines.Add(last);
            last = ReadLine(Next);
        }

        return string.Join('\n', lines).Trim('\n');
    }

    private string? ReadLine(string prompt)
    {
        if (streams.Keys is { } keys) return Edit(keys, prompt);
        streams.Out.Write(prompt);
        streams.Out.Flush();
        return streams.In.ReadLine();
    }

    private string? Edit(Func<ConsoleKeyInfo> keys, string prompt)
    {
        line.Begin();
        while (true)
        {
            Draw(prompt);
            var key = keys();
            bool control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            if (control && key.Key == ConsoleKey.D && line.Text.Length == 0)
            {
                streams.Out.WriteLine();
                return null;
            }

            if (key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n') break;
            line.Press(key);
        }

        streams.Out.WriteLine();
        line.Remember();
        return line.Text;
    }

    private void Draw(string prompt)
    {
        if (line.Cursor > 0 && char.IsHighSurrogate(line.Text[line.Cursor - 1])) return; // its other half comes next
        var (shown, column) = line.Window(streams.Width() - prompt.Length);
        int back = TerminalText.Width(shown) - column;
        streams.Out.Write(ToStart + prompt + shown + (back > 0 ? $"\u001b[{back}D" : ""));
        streams.Out.Flush();
    }
}
