using Distill.Data.Traces;
using Distill.Verification;
using DuckDB.NET.Data;

namespace Distill.Data.Tests.Traces;

/// <summary><c>messages</c> is what was really asked and answered; what a thought spells out stays in the thought.</summary>
public sealed class TraceConversationTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Messages_hold_what_stood_before_the_question()
    {
        var trace = SampleTraces.One() with
        {
            Preamble = [new("system", "Think."), new("user", "1 + 1?"), new("assistant", "2")],
        };
        MessagesOf(trace).ShouldBe(["system: Think.", "user: 1 + 1?", "assistant: 2", $"user: {trace.Problem.Text}",
            "assistant: <think>7 + 5 = 12</think>12"]);
        TraceFile.Read(folder["t.parquet"]).Single().Preamble.ShouldBe(trace.Preamble);
    }

    [Fact]
    public void Without_them_the_problem_s_own_system_message_counts()
    {
        var plain = SampleTraces.One();
        MessagesOf(plain with { Problem = plain.Problem with { System = "Be brief." } })[0].ShouldBe("system: Be brief.");
        File.Delete(folder["t.parquet"]);
        MessagesOf(plain).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("I write </think> here and go on")]
    [InlineData("</think>")]
    [InlineData("<think> inside <think>")]
    public void A_mark_spelled_out_in_a_thought_stays_there(string reasoning)
    {
        var graded = new GradedTrace(SampleTraces.One(reasoning: reasoning), Verdict.Correct, "number", 1, true, null);
        TraceFile.Write(folder["g.parquet"], [graded]);
        var read = TraceFile.ReadGraded(folder["g.parquet"]).Single().Trace;
        (read.Reasoning, read.Answer).ShouldBe((reasoning, "12"));
    }

    [Fact]
    public void A_preamble_that_is_none_is_refused_with_the_reason()
    {
        TraceFile.Write(folder["t.parquet"], [SampleTraces.One()]);
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"COPY (SELECT * REPLACE ('[1]' AS preamble) FROM '{folder["t.parquet"]}') TO '{folder["c.parquet"]}' (FORMAT parquet)";
        command.ExecuteNonQuery();
        Should.Throw<InvalidDataException>(() => TraceFile.Read(folder["c.parquet"]).ToList()).Message.ShouldContain("'preamble'");
    }

    [Fact]
    public void Texts_are_read_without_their_tokens_and_sums_without_texts()
    {
        var traces = SampleTraces.Many(30);
        TraceFile.Write(folder["t.parquet"], traces, new TraceFileOptions { RowsPerGroup = 8 });
        var texts = TraceFile.ReadTexts(folder["t.parquet"]).ToList();
        texts.ShouldAllBe(trace => trace.TokenIds.Count == 0 && trace.TokenLogProbabilities.Count == 0);
        texts.Select(trace => (trace.Problem, trace.Reasoning, trace.Answer))
            .ShouldBe(traces.Select(trace => (trace.Problem, trace.Reasoning, trace.Answer)));
        TraceFile.SumsOf(folder["t.parquet"]).ShouldBe(new TraceSums(traces.Sum(trace => trace.PromptTokens), 30 * 14));
    }

    private List<string> MessagesOf(Trace trace)
    {
        TraceFile.Write(folder["t.parquet"], [trace]);
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT unnest([m.role || ': ' || m.content for m in messages]) FROM '{folder["t.parquet"]}'";
        using var reader = command.ExecuteReader();
        var messages = new List<string>();
        while (reader.Read()) messages.Add(reader.GetString(0));
        return messages;
    }
}
