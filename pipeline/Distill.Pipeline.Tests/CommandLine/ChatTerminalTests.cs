using System.Text.Json;
using Distill.Cli;
using Distill.Cli.Chatting;
using Distill.Cli.Output;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary><c>distill chat</c> with a person at a terminal: keys, lines, and words that begin with a slash.</summary>
public sealed class ChatTerminalTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Keys_move_and_cut_by_characters_as_readers_see_them()
    {
        var line = new EditedLine();
        line.Begin();
        Type(line, "año 👩‍🚀 zwei"); // a picture of three code points
        Press(line, ConsoleKey.LeftArrow, 5);
        Press(line, ConsoleKey.Backspace);
        line.Text.ShouldBe("año  zwei");
        Press(line, ConsoleKey.Home);
        Press(line, ConsoleKey.Delete, 2);
        Press(line, ConsoleKey.End);
        Press(line, ConsoleKey.W, control: true);
        line.Text.ShouldBe("o  ");
        Press(line, ConsoleKey.U, control: true);
        (line.Text, line.Cursor).ShouldBe(("", 0));
        Type(line, "abc");
        Press(line, ConsoleKey.A, control: true);
        Press(line, ConsoleKey.RightArrow);
        Press(line, ConsoleKey.K, control: true);
        (line.Text, line.Cursor).ShouldBe(("a", 1));
        Press(line, ConsoleKey.F5); // means nothing
        line.Text.ShouldBe("a");
    }

    [Fact]
    public void Arrows_bring_back_earlier_lines_and_what_was_begun()
    {
        var line = new EditedLine();
        foreach (string entered in (string[])["one", "two", "two", " "])
        {
            line.Begin();
            Type(line, entered);
            line.Remember();
        }

        line.Begin();
        Type(line, "begun");
        const ConsoleKey up = ConsoleKey.UpArrow, down = ConsoleKey.DownArrow;
        foreach (var (key, shown) in ((ConsoleKey, string)[])
            [(up, "two"), (up, "one"), (up, "one"), (down, "two"), (down, "begun"), (down, "begun")])
        {
            Press(line, key);
            line.Text.ShouldBe(shown);
        }
    }

    [Fact]
    public void A_long_line_shows_the_part_with_the_cursor_and_never_more_than_the_width()
    {
        var line = new EditedLine();
        line.Begin();
        Type(line, string.Concat(Enumerable.Repeat("水b", 40)));
        for (int left = 0; left <= 80; left++)
        {
            var (shown, column) = line.Window(20);
            column.ShouldBeInRange(0, 19);
            TerminalText.Width(shown).ShouldBeLessThan(20);
            Press(line, ConsoleKey.LeftArrow);
        }

        line.Window(20).Shown.ShouldStartWith("水b水");
    }

    [Theory]
    [InlineData("one\n", "one")]
    [InlineData("one\\\ntwo\n", "one\ntwo")]
    [InlineData("\"\"\"\none\ntwo\n\"\"\"\n", "one\ntwo")]
    [InlineData("\"\"\"one\\\ntwo\"\"\"\nthree\n", "one\\\ntwo")]
    [InlineData("\"\"\"one line\"\"\"\n", "one line")]
    [InlineData("cut \\", "cut \n")]
    public void A_message_may_have_several_lines(string typed, string message)
    {
        new MessageReader(new ConsoleStreams(new StringReader(typed), TextWriter.Null, TextWriter.Null)).Read().ShouldBe(message);
        Keyed(typed, out _).Read().ShouldBe(message);
    }

    [Fact]
    public void Control_and_D_on_an_empty_line_is_the_end_and_what_is_typed_is_drawn()
    {
        Keyed("ab\u0004", out var screen).Read().ShouldBe("ab");
        screen.ToString().ShouldContain("> ab");
        Keyed("\u0004", out _).Read().ShouldBeNull();
    }

    [Fact]
    public void A_person_talks_changes_the_system_saves_and_begins_anew()
    {
        string model = TinyCheckpoint.Write(folder["trained"]), saved = folder["said.jsonl"], text = folder["said.md"];
        File.WriteAllText(saved, """{"messages":[]}"""); // as an editor may leave it: its line has no end
        string typed = $"/save {saved}\n2 + 3\n/system Be brief.\n4 + 5\n/save {saved}\n/save {text}\n/save {text}\n"
            + $"/save {folder["no.txt"]}\n/sing\n/help\n/reset\n/system\n6 + 7\n/save {saved}\n/exit\n8 + 9\n";
        using StringWriter screen = new(), error = new();
        var streams = new ConsoleStreams(new StringReader(typed), screen, error)
        {
            InIsTerminal = true, OutIsTerminal = true, IsColoured = false,
        };
        DistillCommandLine.Run(["chat", model, "--max-tokens", "5"], streams, TimeProvider.System, default).ShouldBe(0, error.ToString());
        string shown = screen.ToString();
        shown.ShouldContain("tokens/s, the first after ");
        shown.ShouldContain("said.md is there already");
        shown.ShouldContain("must end with .jsonl or .md");
        shown.ShouldContain("There is no /sing");
        shown.ShouldContain("Nothing was said yet");
        shown.ShouldContain("/system TEXT");
        shown.ShouldNotContain("\u001b");
        shown.Split('\n').Where(line => !line.Contains(folder.Path, StringComparison.Ordinal)).ShouldAllBe(line => line.Length <= 80);
        File.ReadLines(saved).Select(Roles).ShouldBe(["", "system user assistant user assistant", "user assistant"]);
        File.ReadAllText(saved).ShouldContain("\"finish_reason\":\"length\"");
        File.ReadAllText(text).ShouldStartWith("## System\n\nBe brief.\n\n## User\n\n2 + 3\n\n## Assistant\n\n");
    }

    private static string Roles(string line) => string.Join(' ', JsonDocument.Parse(line).RootElement.GetProperty("messages")
        .EnumerateArray().Select(message => message.GetProperty("role").GetString()));

    private static MessageReader Keyed(string typed, out StringWriter screen)
    {
        var keys = new Queue<char>(typed);
        screen = new StringWriter();
        return new MessageReader(new ConsoleStreams(TextReader.Null, screen, TextWriter.Null)
        {
            Keys = () => keys.TryDequeue(out char key) && key == '\u0004'
                ? new ConsoleKeyInfo(key, ConsoleKey.D, shift: false, alt: false, control: true)
                : new ConsoleKeyInfo(key == '\0' ? '\n' : key, ConsoleKey.None, shift: false, alt: false, control: false),
        });
    }

    private static void Type(EditedLine line, string text)
    {
        foreach (char c in text) line.Press(new ConsoleKeyInfo(c, ConsoleKey.None, false, false, false));
    }

    private static void Press(EditedLine line, ConsoleKey key, int times = 1, bool control = false)
    {
        for (int i = 0; i < times; i++) line.Press(new ConsoleKeyInfo('\0', key, false, false, control));
    }
}
