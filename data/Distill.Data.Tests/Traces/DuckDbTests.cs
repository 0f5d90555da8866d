using Distill.Data.Traces;
using Distill.Verification;
using DuckDB.NET.Data;

namespace Distill.Data.Tests.Traces;

/// <summary>Our files as another implementation of Parquet reads them, and its files as we read them.</summary>
public sealed class DuckDbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DuckDBConnection connection = new("DataSource=:memory:");
    private readonly IReadOnlyList<Trace> traces = SampleTraces.Many(300);

    public DuckDbTests()
    {
        connection.Open();
        TraceFile.Write(folder["t.parquet"], traces, new TraceFileOptions { RowsPerGroup = 100 });
    }

    public void Dispose()
    {
        connection.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void The_columns_of_the_contract_have_the_types_of_the_contract()
    {
        var columns = Query(
            $"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{folder["t.parquet"]}')",
            row => (row.GetString(0), row.GetString(1)));

        columns.Take(25).ShouldBe(
        [
            ("problem_id", "VARCHAR"), ("problem", "VARCHAR"), ("reference_answer", "VARCHAR"), ("domain", "VARCHAR"), ("split", "VARCHAR"),
            ("source", "VARCHAR"),
            ("messages", "STRUCT(\"role\" VARCHAR, \"content\" VARCHAR)[]"), ("reasoning", "VARCHAR"), ("answer", "VARCHAR"),
            ("completion_tokens", "INTEGER"), ("prompt_tokens", "INTEGER"), ("stop_reason", "VARCHAR"), ("refusal", "VARCHAR"),
            ("sample_index", "INTEGER"),
            ("seed", "UBIGINT"), ("sampling", "VARCHAR"), ("teacher", "VARCHAR"), ("teacher_digest", "VARCHAR"),
            ("template_digest", "VARCHAR"), ("tokenizer_fingerprint", "VARCHAR"), ("token_ids", "INTEGER[]"),
            ("token_logprobs", "FLOAT[]"), ("top_ids", "INTEGER[]"), ("top_logprobs", "FLOAT[]"),
            ("created_at", "TIMESTAMP WITH TIME ZONE"),
        ]);
    }

    [Fact]
    public void Every_row_has_the_values_that_were_written()
    {
        var rows = Query(
            $"SELECT problem_id, answer, seed, token_ids::VARCHAR, messages[2].role, messages[2].content FROM '{folder["t.parquet"]}'",
            row => (
                row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetFieldValue<ulong>(2),
                row.GetString(3), row.GetString(4), row.GetString(5)));

        rows.ShouldBe(traces.Select(trace => (
            trace.Problem.Id,
            trace.Answer,
            trace.Seed,
            $"[{string.Join(", ", trace.TokenIds)}]",
            "assistant",
            trace.Answer is null ? $"<think>{trace.Reasoning}" : $"<think>{trace.Reasoning}</think>{trace.Answer}")));
    }

    [Fact]
    public void A_copy_that_another_writer_made_reads_as_the_same_traces()
    {
        var copy = Copy("*", "(FORMAT parquet, ROW_GROUP_SIZE 120)");

        TraceFile.Read(copy).Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
    }

    [Fact]
    public void Token_columns_may_be_absent()
    {
        var read = TraceFile.Read(Copy("* EXCLUDE (token_ids, token_logprobs, top_ids, top_logprobs)")).ToList();

        read.Count.ShouldBe(300);
        read.ShouldAllBe(trace => trace.TokenIds.Count == 0);
    }

    [Fact]
    public void Every_missing_or_mistyped_column_is_named_at_once()
    {
        var copy = Copy("* EXCLUDE (teacher) REPLACE (seed::VARCHAR AS seed, problem AS token_ids)");

        string message = Should.Throw<InvalidDataException>(() => TraceFile.Read(copy).ToList()).Message;
        message.ShouldContain(copy);
        foreach (string fault in (string[])["'teacher' is missing", "'seed' has another type", "'token_ids' has another type"])
            message.ShouldContain(fault);
    }

    [Fact]
    public void A_missing_value_is_named_with_its_column()
    {
        var copy = Copy("* REPLACE (NULL::VARCHAR AS reasoning)");

        Should.Throw<InvalidDataException>(() => TraceFile.Read(copy).ToList()).Message.ShouldContain("'reasoning' has no value in row 0");
    }

    /// <summary>No list and an empty list say the same; a hole in a list says nothing that can be trained on, wherever it is.</summary>
    [Theory]
    [InlineData("NULL", null)]
    [InlineData("[]", null)]
    [InlineData("[NULL]", "column 'token_ids' has a null element in row 0")]
    [InlineData("[NULL, 2]", "column 'token_ids' has a null element in row 0")]
    [InlineData("[1, NULL, 2]", "column 'token_ids' has a null element in row 0")]
    [InlineData("CASE WHEN sample_index = 2 THEN [NULL] END", "column 'token_ids' has a null element in row 2")]
    public void A_null_list_is_empty_and_a_null_in_a_list_is_refused(string list, string? reason)
    {
        var copy = Copy($"* REPLACE (({list})::INTEGER[] AS token_ids)");

        if (reason is null)
            TraceFile.Read(copy).ShouldAllBe(trace => trace.TokenIds.Count == 0 && trace.TokenLogProbabilities.Count < 5);
        else
            Should.Throw<InvalidDataException>(() => TraceFile.Read(copy).ToList()).Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData("keep", "NULL::BOOLEAN", "column 'keep' has no value in row 0")]
    [InlineData("keep", "CASE WHEN sample_index <> 3 THEN true END", "column 'keep' has no value in row 3")]
    [InlineData("verifier_version", "NULL::INTEGER", "column 'verifier_version' has no value in row 0")]
    [InlineData("verdict", "NULL::VARCHAR", "column 'verdict' has no value in row 0")]
    [InlineData("verdict", "'fine'", "the verdict 'fine' is none of")]
    [InlineData("split", "chr(27) || '[2J'", @"the split '\u001B[2J' is none of")]
    public void A_grade_that_is_missing_or_none_is_refused_with_the_reason(string column, string value, string reason)
    {
        TraceFile.Write(folder["g.parquet"], traces.Select(trace => new GradedTrace(trace, Verdict.Correct, "number", 1, true, null)));
        var copy = Copy($"* REPLACE ({value} AS {column})", from: "g.parquet");

        Should.Throw<InvalidDataException>(() => TraceFile.ReadGraded(copy).ToList()).Message.ShouldContain(reason);
    }

    private string Copy(string columns, string layout = "(FORMAT parquet)", string from = "t.parquet")
    {
        Execute($"COPY (SELECT {columns} FROM '{folder[from]}') TO '{folder["copy.parquet"]}' {layout}");
        return folder["copy.parquet"];
    }

    private List<T> Query<T>(string sql, Func<DuckDBDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = (DuckDBDataReader)command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    private void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
