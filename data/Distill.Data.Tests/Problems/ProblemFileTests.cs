using System.Text;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

public sealed class ProblemFileTests
{
    private const string Row =
        """{"problem_id":"p","source":"words","domain":"d","split":"test","level":2,"problem":"q","""
        + """ "reference_answer":"a","signature":"s"}""";

    [Fact]
    public void What_is_written_reads_back()
    {
        var problems = FamilySamples.WithTwins("words", 2).Concat(FamilySamples.WithTwins("knights", 3)).ToArray();

        RoundTrip(problems).ShouldBe(problems);
    }

    [Fact]
    public void Any_text_survives()
    {
        var problem = FamilySamples.Of("words", 1)[0].Problem with
        {
            Text = "\"quoted\" \\ \n\r\t\0 é 漢字 \uD83D\uDC4D \u2028 <|end|> </script>",
            ReferenceSolution = null,
            ReferenceAnswer = "",
        };

        RoundTrip([problem]).ShouldBe([problem]);
        Encoding.UTF8.GetString(Write([problem])).ShouldContain("é 漢字");
    }

    [Fact]
    public void Every_problem_is_one_line_with_the_column_names_of_traces()
    {
        var problems = FamilySamples.WithTwins("countdown", 1).Take(3).ToArray();
        var text = Encoding.UTF8.GetString(Write(problems));

        text.Split('\n').Length.ShouldBe(4);
        text.ShouldEndWith("}\n");
        text.ShouldStartWith(
            $$"""{"problem_id":"{{problems[0].Id}}","source":"countdown","domain":"countdown","split":"train","level":1,"problem":""");
        using var stream = new MemoryStream();
        ProblemFile.Write(stream, problems).ShouldBe(3);
    }

    [Fact]
    public void Reading_from_a_path_closes_the_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("p.jsonl", $"{RowOf("a")}\n{RowOf("b")}");

        ProblemFile.Read(path).Count().ShouldBe(2);
        ProblemFile.Read(path).First().Text.ShouldBe("q");

        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        stream.Length.ShouldBe((2 * Row.Length) + 1);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("\n\n", 0)]
    [InlineData("A", 1)]
    [InlineData("A\nB", 2)]
    [InlineData("\r\nA\r\n \t\nB\r\n", 2)]
    public void Empty_lines_and_windows_line_ends_do_not_matter(string lines, int expected)
    {
        var rows = lines.Replace("A", RowOf("a"), StringComparison.Ordinal).Replace("B", RowOf("b"), StringComparison.Ordinal);

        Read(rows).Count.ShouldBe(expected);
    }

    [Fact]
    public void An_id_twice_is_refused_with_both_places()
    {
        var read = new List<Problem>();

        var refusal = Should.Throw<InvalidDataException>(() => read.AddRange(Enumerate($"{RowOf("a")}\n\n{RowOf("b")}\n{RowOf("a")}")));

        refusal.Message.ShouldBe(
            "sample.jsonl, line 4: the problem_id 'a' is that of sample.jsonl, line 1, too; every problem needs its own.");
        read.Select(problem => problem.Id).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void What_could_not_be_read_again_is_not_written()
    {
        var problem = FamilySamples.Of("words", 1)[0].Problem;

        Should.Throw<ArgumentException>(() => ProblemFile.Write(new MemoryStream(), [problem, problem])).Message
            .ShouldContain($"Two problems have the id '{problem.Id}'");
    }

    [Fact]
    public void Unknown_properties_are_ignored_and_the_solution_may_be_missing()
    {
        var problem = Read(Row.Replace("{", """{"mine":[{"x":1}],""", StringComparison.Ordinal)).Single();

        problem.ShouldBe(new Problem("p", "words", "d", Split.Test, 2, "q", "a", null, "s"));
    }

    [Theory]
    [InlineData("not json", "invalid")]
    [InlineData("[]", "object is expected, found Array")]
    [InlineData("null", "object is expected, found Null")]
    [InlineData("R R", "invalid")]
    [InlineData("R|\"level\":2|\"level\":0", "'level' is missing or not a whole number above 0")]
    [InlineData("R|\"level\":2|\"level\":2.5", "'level'")]
    [InlineData("R|\"level\":2|\"level\":\"2\"", "'level'")]
    [InlineData("R|\"level\":2|\"level\":99999999999", "'level'")]
    [InlineData("R|\"level\":2|\"x\":2", "'level'")]
    [InlineData("R|\"test\"|\"dev\"", "'split' is 'dev'; it must be train, validation or test")]
    [InlineData("R|\"problem\":\"q\"|\"problem\":7", "'problem' is a Number, a string is expected")]
    [InlineData("R|\"problem\":\"q\"|\"problem\":null", "'problem' is missing")]
    [InlineData("R|\"signature\":\"s\"|\"reference_solution\":7", "'reference_solution' is a Number")]
    [InlineData("R|\"q\"|\"\\ud800\"", "'problem' is not valid text")]
    [InlineData("R|\"level\":2|\"level\":2,\"level\":2", "uplicate")]
    [InlineData("R|\"level\"|\"\\ud800\":1,\"level\"", "")]
    [InlineData("R|\"level\":2|\"level\":[[[[[[[[[[[[[[[[[[2]]]]]]]]]]]]]]]]]]", "depth")]
    public void A_damaged_line_is_refused_with_file_line_and_reason(string line, string reason)
    {
        var parts = line.Split('|');
        var damaged = parts[0].Replace("R", Row, StringComparison.Ordinal);
        damaged = parts.Length == 3 ? damaged.Replace(parts[1], parts[2], StringComparison.Ordinal) : damaged;

        var message = Should.Throw<InvalidDataException>(() => Read($"{RowOf("a")}\n\n{damaged}\n{RowOf("b")}")).Message;

        message.ShouldStartWith("sample.jsonl, line 3: ");
        message.ShouldContain(reason);
        message.Length.ShouldBeGreaterThan("sample.jsonl, line 3: ".Length + 5);
    }

    [Fact]
    public void The_problems_before_a_damaged_line_are_delivered()
    {
        var read = new List<Problem>();

        Should.Throw<InvalidDataException>(() => read.AddRange(Enumerate($"{RowOf("a")}\n{RowOf("b")}\n{{")));

        // AddRange of an iterator adds as it goes.
        read.Count.ShouldBe(2);
    }

    private static List<Problem> RoundTrip(IReadOnlyList<Problem> problems) =>
        [.. ProblemFile.Read(new MemoryStream(Write(problems)), "memory")];

    private static byte[] Write(IReadOnlyList<Problem> problems)
    {
        using var stream = new MemoryStream();
        ProblemFile.Write(stream, problems).ShouldBe(problems.Count);
        return stream.ToArray();
    }

    private static string RowOf(string id) => Row.Replace("\"p\"", $"\"{id}\"", StringComparison.Ordinal);

    private static List<Problem> Read(string lines) => [.. Enumerate(lines)];

    private static IEnumerable<Problem> Enumerate(string lines) =>
        ProblemFile.Read(new MemoryStream(Encoding.UTF8.GetBytes(lines)), "sample.jsonl");
}
