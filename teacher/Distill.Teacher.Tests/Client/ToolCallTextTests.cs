using Distill.Client;
using Distill.Teacher.Tests.Fixtures;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Client;

/// <summary>Calls of tools are read out of replies as templates write them, and what is none stays text.</summary>
public sealed class ToolCallTextTests
{
    [Theory]
    [InlineData("qwen2_5", "<tool_call>", "arguments", true)]
    [InlineData("qwen3", "<tool_call>", "arguments", true)]
    [InlineData("llama31_like", "", "parameters", true)]
    [InlineData("smollm3_like", "<tool_call>", "arguments", false)]
    [InlineData("mistral_like", "[TOOL_CALLS]", "arguments", true)]
    [InlineData("chatml", null, "", false)]
    [InlineData("zephyr_like", null, "", false)]
    [InlineData("harmony_like", null, "", false)]
    [InlineData("deepseek_r1_like", null, "", false)]
    public void A_template_shows_how_its_model_calls(string template, string? open, string arguments, bool isWritten)
    {
        string source = File.ReadAllText(Path.Combine(FixtureFolder.Require("templates", "templates"), template + ".jinja"));
        var dialect = ToolDialect.Of(new ChatEncoder(TinyTokenizer.Tokenizer, new ChatTemplate(source)));
        if (open is null)
        {
            dialect.ShouldBeNull();
            return;
        }

        dialect.ShouldNotBeNull();
        (dialect.Open, dialect.Arguments, dialect.IsWrittenByTemplate).ShouldBe((open, arguments, isWritten));
    }

    [Theory]
    [InlineData("Hello <b>there</b>.", "Hello <b>there</b>.")]
    [InlineData("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"</b>\"]}}\n</tool_call>", "[f {\"a\": [1, \"</b>\"]}]")]
    [InlineData(
        "I look.\n\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n"
            + "<tool_call>{\"name\":\"g\",\"arguments\":{}}</tool_call> Done. ",
        "I look.[f {}][g {}]Done. ")]
    [InlineData("<tool_call>{\"name\": \"f\"", "<tool_call>{\"name\": \"f\"")]
    [InlineData("<tool_call>{\"name\": \"f\", \"arguments\": {}}", "[f {}]")]
    [InlineData("<tool_call>no json</tool_call> and on", "<tool_call>no json</tool_call> and on")]
    [InlineData("<tool_call>{\"name\": 5, \"arguments\": {}}</tool_call>", "<tool_call>{\"name\": 5, \"arguments\": {}}</tool_call>")]
    [InlineData(
        "<tool_call>{\"name\": \"\\ud800\", \"arguments\": {}}</tool_call>",
        "<tool_call>{\"name\": \"\\ud800\", \"arguments\": {}}</tool_call>")]
    [InlineData(
        "<tool_call>{\"name\": \"f\", \"arguments\": {\"\\ud800\": 1}}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": {\"\\ud800\": 1}}</tool_call>")]
    [InlineData("a <tool_cal", "a <tool_cal")]
    public void Marked_calls_are_read_however_the_text_is_cut(string reply, string expected) =>
        Check(ToolModels.Encoder(ToolModels.Marked), reply, expected);

    [Theory]
    [InlineData("{\"name\": \"f\", \"parameters\": {\"x\": 1}}", "[f {\"x\": 1}]")]
    [InlineData("Sure: {\"name\": \"f\", \"parameters\": {}}", "Sure: {\"name\": \"f\", \"parameters\": {}}")]
    [InlineData("{\"answer\": 4}", "{\"answer\": 4}")]
    [InlineData("{\"name\": \"f\"}", "{\"name\": \"f\"}")]
    public void Bare_calls_are_whole_answers(string reply, string expected) => Check(ToolModels.Encoder(ToolModels.Bare), reply, expected);

    [Fact]
    public void A_mark_that_is_a_token_counts_by_its_id_alone()
    {
        const string call = "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>";
        var encoder = ToolModels.Encoder(ToolModels.Marked, hasMarks: true);
        var dialect = ToolDialect.Of(encoder)!;
        dialect.Marks.Count.ShouldBe(2);
        Read(encoder, dialect, encoder.Tokenizer.Encode("Well. " + call, allowSpecial: true)).ShouldBe("Well.[f {}]");
        Read(encoder, dialect, encoder.Tokenizer.Encode(call, allowSpecial: false)).ShouldBe(call);
    }

    private static void Check(ChatEncoder encoder, string reply, string expected)
    {
        var dialect = ToolDialect.Of(encoder)!;
        Read(encoder, dialect, encoder.Tokenizer.Encode(reply)).ShouldBe(expected);
        for (int cut = 0; cut < reply.Length; cut++)
        {
            string read = "";
            var text = new ToolCallText(dialect, part => read += Shown(part), () => "id");
            text.Push(new ReplyPiece(false, reply[..cut]));
            text.Push(new ReplyPiece(false, reply[cut..]));
            text.End();
            read.ShouldBe(expected, $"cut at {cut}");
        }
    }

    private static string Read(ChatEncoder encoder, ToolDialect dialect, IEnumerable<int> tokens)
    {
        string read = "";
        var calls = new ToolCallText(dialect, part => read += Shown(part), () => "id");
        var reply = new ReplyText(encoder.Tokenizer, [], piece => calls.Push(piece), marks: dialect.Marks);
        foreach (int token in tokens) reply.Push(token);
        reply.End();
        calls.End();
        return read;
    }

    private static string Shown(ReplyPart part) =>
        part.Call is { } call ? $"[{call.Name} {call.Arguments.GetRawText()}]" : part.Piece.Text;
}
