using Distill.Cli;
using Distill.Cli.Output;
using Distill.Cli.Progress;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Tests.Reporting;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>Tables at every width, streams that cannot be written, words for a shell.</summary>
public sealed class OutputTests
{
    [Theory]
    [InlineData(40), InlineData(60), InlineData(80), InlineData(100), InlineData(140), InlineData(200)]
    public void The_table_of_results_fits_and_keeps_every_name_and_number(int width)
    {
        var table = ReportTable.Of(SampleReport.Full);
        string[] lines = [.. new TextTable(table.Header, table.Rows).Lines(width)];
        lines.ShouldAllBe(line => line.Length <= width);
        foreach (var row in table.Rows)
        {
            var ofModel = lines.Where(line => line.StartsWith(row[0] + " ", StringComparison.Ordinal)).ToList();
            ofModel.Count.ShouldBe(lines.Count(line => line.StartsWith("model ", StringComparison.Ordinal)));
            foreach (string number in row.Skip(1).SelectMany(cell => cell.Split((string[])[" [", " (", " → "], StringSplitOptions.None)))
                string.Join(' ', lines).ShouldContain(number);
        }
    }

    [Fact]
    public void Words_wrap_and_long_ones_are_cut_but_never_the_name()
    {
        string reason = "continues at step 693 of 1,082, " + new string('x', 50);
        var table = new TextTable(["stage", "reason"], [["evaluation/answer-only", reason]], words: 2);
        string[] lines = [.. table.Lines(50)];
        lines.ShouldAllBe(line => line.Length <= 50);
        lines[2].ShouldStartWith("evaluation/answer-only  continues at step");
        string.Concat(lines.Skip(2).Select(line => line[22..].Trim() + " ")).Replace(" ", "")
            .ShouldContain("continuesatstep693of1,082,xxxxx");
        lines.Sum(line => line.Count(c => c == 'x')).ShouldBe(50);
    }

    [Fact]
    public void Wide_characters_take_two_columns()
    {
        string[] lines = [.. new TextTable(["name", "n"], [["数学", "1"], ["abcd", "22"]]).Lines(80)];
        lines[2].ShouldBe("数学   1");
        lines[3].ShouldBe("abcd  22");
    }

    [Fact]
    public void Results_that_cannot_be_written_are_a_fault_and_words_are_given_up()
    {
        using var full = new FullWriter();
        var streams = new ConsoleStreams(TextReader.Null, full, full);
        DistillCommandLine.Run(["--version"], streams, TimeProvider.System, default).ShouldBe(1);
        using var error = new StringWriter();
        DistillCommandLine.Run(["--version", "--json"], new ConsoleStreams(TextReader.Null, full, error), TimeProvider.System, default)
            .ShouldBe(1);
        error.ToString().ShouldStartWith("{\"error\":{\"code\":1,");
        Should.NotThrow(() => streams.Error.WriteLine("progress"));
    }

    [Fact]
    public void A_run_goes_on_when_its_events_cannot_be_written_and_says_so_at_its_end()
    {
        using var full = new FullWriter();
        var results = new ResultWriter(new ConsoleStreams(TextReader.Null, full, TextWriter.Null), json: true);
        var observer = new JsonRunObserver(results, TimeProvider.System);
        Should.NotThrow(() => observer.RunStarted("demo", "/runs/demo"));
        Should.NotThrow(() => observer.Warning("little memory"));
        Should.Throw<OutputLostException>(() => observer.Finish(new { })).ReaderLeft.ShouldBeFalse();
        full.Attempts.ShouldBe(1);
    }

    [Theory]
    [InlineData("plain/path-1.yaml", "plain/path-1.yaml")]
    [InlineData("", "''")]
    [InlineData("two words", "'two words'")]
    [InlineData("it's", @"'it'\''s'")]
    [InlineData("$(rm -rf)", "'$(rm -rf)'")]
    [InlineData("a\u001bb\nc'd", @"$'a\u001bb\u000ac\'d'")]
    public void A_word_is_quoted_for_the_shell(string word, string quoted) => ShellWord.Quoted(word).ShouldBe(quoted);

    /// <summary>A full disk.</summary>
    private sealed class FullWriter : StringWriter
    {
        public int Attempts { get; private set; }

        public override void Write(char value) => Fail();

        public override void Write(string? value) => Fail();

        public override void Write(char[] buffer, int index, int count) => Fail();

        public override void WriteLine(string? value) => Fail();

        private void Fail()
        {
            Attempts++;
            throw new IOException("No space left on device");
        }
    }
}
