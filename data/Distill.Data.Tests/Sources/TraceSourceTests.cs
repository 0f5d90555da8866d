using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Data.Sources.Selection;

namespace Distill.Data.Tests.Sources;

/// <summary>Problems of traces that others made.</summary>
public sealed class TraceSourceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Each_question_comes_once_and_belongs_where_its_content_says()
    {
        string path = folder.File("a.jsonl", string.Join('\n', Row("What is this?", "1"), Row("What is this?", "1"), Row("Other?", "2")));

        var items = Items(path);

        items.Select(item => item.Problem!.Text).ShouldBe(["What is this?", "Other?"]);
        items.ShouldAllBe(item => item.Problem!.Split == SplitRule.Of(ProblemText.SignatureOf(item.Problem.Text)));
    }

    [Fact]
    public void An_id_that_two_questions_have_is_a_bad_row()
    {
        folder.File("a.jsonl", Row("What is this?", "1"));
        folder.File("b.jsonl", Row("Other?", "1") + "\n" + Row("Third?", "3"));

        var items = Items(folder["*.jsonl"]);

        items.Select(item => item.Problem?.Text).ShouldBe(["What is this?", null, "Third?"]);
        items[1].Place.ToString().ShouldBe("b.jsonl, row 1");
        items[1].Fault.ShouldBe("the id '1' is that of another question too");
    }

    [Fact]
    public void Rows_that_are_no_traces_are_bad_rows_wherever_they_stand()
    {
        const string Bad = """{"messages":[]}""";
        string path = folder.File("a.jsonl", string.Join('\n', Row("q", "1"), Bad, "[1]", Row("p", "2"), Bad));

        var items = Items(path);

        items.Where(item => item.Problem is not null).Select(item => item.Problem!.Text).ShouldBe(["q", "p"]);
        items.Where(item => item.Problem is null).Select(item => item.Place.ToString())
            .ShouldBe(["a.jsonl, line 2", "a.jsonl, line 3", "a.jsonl, line 5"]);
        items.ShouldAllBe(item => item.Problem != null || item.Fault!.Length > 0 && !item.Fault.EndsWith('.'));
        var source = new PoolSource(new TraceSource("own", SourceFile.Find(path), "exact"));
        PoolSamples.Gather(new PoolOptions { SkipsBadRows = true }, source).Reports[0].Bad.ShouldBe(3);
        Should.Throw<BadRowsException>(() => PoolSamples.Gather(null, source)).Count.ShouldBe(3);
    }

    private static string Row(string question, string id) =>
        $$"""
        {"messages":[{"role":"user","content":"{{question}}"},{"role":"assistant","content":"a"}],"problem_id":"{{id}}","answer":"a"}
        """;

    private static SourceItem[] Items(string pattern) => [.. new TraceSource("own", SourceFile.Find(pattern), "exact").Read()];
}
