using System.Globalization;
using Distill.Cli.Output;

namespace Distill.Cli.Chatting;

/// <summary>
/// A line being typed, with the cursor in it and the lines typed before. Moves by what a reader calls a character, never into one. One
/// thread.
/// </summary>
internal sealed class EditedLine
{
    private readonly List<string> history = [];
    private int place; // in the history; its length while a new line is typed
    private string draft = ""; // the new line while an older one is shown

    public string Text { get; private set; } = "";

    /// <summary>Characters before it, 0 to the text's length.</summary>
    public int Cursor { get; private set; }

    /// <summary>Begins a line.</summary>
    public void Begin()
    {
        (Text, Cursor, draft, place) = ("", 0, "", history.Count);
    }

    /// <summary>Remembers the line, unless it is empty or the one before.</summary>
    public void Remember()
    {
        if (Text.Trim().Length > 0 && (history.Count == 0 || history[^1] != Text)) history.Add(Text);
    }

    public void Insert(string typed)
    {
        Text = Text.Insert(Cursor, typed);
        Cursor += typed.Length;
    }

    /// <summary>What keys but Enter do, as in shells.</summary>
    public void Press(ConsoleKeyInfo key)
    {
        bool control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        switch (key.Key)
        {
            case ConsoleKey.LeftArrow: Cursor = Before(); break;
            case ConsoleKey.RightArrow: Cursor = After(); break;
            case ConsoleKey.Home: Cursor = 0; break;
            case ConsoleKey.End: Cursor = Text.Length; break;
            case ConsoleKey.UpArrow: Show(place - 1); break;
            case ConsoleKey.DownArrow: Show(place + 1); break;
            case ConsoleKey.Backspace: Cut(Before(), Cursor); break;
            case ConsoleKey.Delete: Cut(Cursor, After()); break;
            case ConsoleKey.Tab: Insert("    "); break;
            case ConsoleKey.A when control: Cursor = 0; break;
            case ConsoleKey.E when control: Cursor = Text.Length; break;
            case ConsoleKey.U when control: Cut(0, Cursor); break;
            case ConsoleKey.K when control: Cut(Cursor, Text.Length); break;
            case ConsoleKey.W when control: Cut(WordStart(), Cursor); break;
            default:
                if (!char.IsControl(key.KeyChar)) Insert(key.KeyChar.ToString());
                break;
        }
    }

    /// <summary>What fits of the line, around the cursor.</summary>
    /// <param name="width">Columns.</param>
    /// <returns>A text of fewer columns, and the cursor's column in it.</returns>
    public (string Shown, int Column) Window(int width)
    {
        int start = 0;
        while (TerminalText.Width(Text[start..Cursor]) >= width) start += StringInfo.GetNextTextElementLength(Text, start);
        string shown = TerminalText.Cut(Text[start..], width - 1);
        return (TerminalText.Safe(shown), TerminalText.Width(Text[start..Cursor]));
    }

    private void Cut(int start, int end)
    {
        Text = Text.Remove(start, end - start);
        Cursor = start;
    }

    private void Show(int index)
    {
        if (index < 0 || index > history.Count) return;
        if (place == history.Count) draft = Text;
        place = index;
        Text = index == history.Count ? draft : history[index];
        Cursor = Text.Length;
    }

    private int After() => Cursor == Text.Length ? Cursor : Cursor + StringInfo.GetNextTextElementLength(Text, Cursor);

    private int Before()
    {
        int before = 0;
        for (int at = 0; at < Cursor; at += StringInfo.GetNextTextElementLength(Text, at)) before = at;
        return before;
    }

    private int WordStart()
    {
        int start = Cursor;
        while (start > 0 && char.IsWhiteSpace(Text[start - 1])) start--;
        while (start > 0 && !char.IsWhiteSpace(Text[start - 1])) start--;
        return start;
    }
}
