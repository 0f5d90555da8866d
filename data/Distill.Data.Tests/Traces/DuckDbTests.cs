using Distill.Data.Traces;
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
        var columns = Query($"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{folder["t.parquet"]}')", row => (row.GetString(0), row.GetString(1)));

        columns.Take(23).ShouldBe(
        [
            ("problem_id", "VARCHAR"), ("problem", "VARCHAR"), ("reference_answer", "VARCHAR"), ("domain", "VARCHAR"), ("split", "VARCHAR"),
            ("messages", "STRUCT(\"role\" VARCHAR, \"content\" VARCHAR)[]"), ("reasoning", "VARCHAR"), ("answer", "VARCHAR"),
            ("completion_tokens", "INTEGER"), ("prompt_tokens", "INTEGER"), ("stop_reason", "VARCHAR"), ("sample_index", "INTEGER"),
            ("seed", "UBIGINT"), ("sampling", "VARCHAR"), ("teacher", "VARCHAR"), ("teacher_digest", "VARCHAR"), ("template_digest", "VARCHAR"),
            ("tokenizer_fingerprint", "VARCHAR"), ("token_ids", "INTEGER[]"), ("token_logprobs", "FLOAT[]"), ("top_ids", "INTEGER[]"),
            ("top_logprobs", "FLOAT[]"), ("created_at", "TIMESTAMP WITH TIME ZONE"),
        ]);
    }

    [Fact]
    public void Every_row_has_the_values_that_were_written()
    {
        var rows = Query(
            $"SELECT problem_id, answer, seed, token_ids::VARCHAR, messages[2].role, messages[2].content FROM '{folder["t.parquet"]}'",
            row => (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetFieldValue<ulong>(2), row.GetString(3), row.GetString(4), row.GetString(5)));

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
        Execute($"COPY (SELECT * FROM '{folder["t.parquet"]}') TO '{folder["copy.parquet"]}' (FORMAT parquet, ROW_GROUP_SIZE 120)");

        TraceFile.Read(folder["copy.parquet"]).Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
    }

    [Fact]
    public void Token_columns_may_be_absent()
    {
        Execute($"COPY (SELECT * EXCLUDE (token_ids, token_logprobs, top_ids, top_logprobs) FROM '{folder["t.parquet"]}') TO '{folder["copy.parquet"]}'");

        var read = TraceFile.Read(folder["copy.parquet"]).ToList();
        read.Count.ShouldBe(300);
        read.ShouldAllBe(trace => trace.TokenIds.Count == 0);
    }

    [Fact]
    public void Every_missing_or_mistyped_column_is_named_at_once()
    {
        Execute($"COPY (SELECT * EXCLUDE (teacher) REPLACE (seed::VARCHAR AS seed, problem AS token_ids) FROM '{folder["t.parquet"]}') TO '{folder["bad.parquet"]}'");

        string message = Should.Throw<InvalidDataException>(() => TraceFile.Read(folder["bad.parquet"]).ToList()).Message;
        message.ShouldContain(folder["bad.parquet"]);
        foreach (string column in (string[])["'teacher' is missing", "'seed' has another type", "'token_ids' has another type"]) message.ShouldContain(column);
    }

    [Fact]
    public void A_missing_value_is_named_with_its_column()
    {
        Execute($"COPY (SELECT * REPLACE (NULL::VARCHAR AS reasoning) FROM '{folder["t.parquet"]}') TO '{folder["bad.parquet"]}'");

        Should.Throw<InvalidDataException>(() => TraceFile.Read(folder["bad.parquet"]).ToList()).Message.ShouldContain("'reasoning' has no value in row 0");
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
