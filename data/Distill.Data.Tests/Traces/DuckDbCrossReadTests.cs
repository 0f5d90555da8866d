using CsCheck;
using Distill.Data.Traces;
using DuckDB.NET.Data;

namespace Distill.Data.Tests.Traces;

/// <summary>
/// Generated files both ways: what we write DuckDB reads value by value, and what DuckDB writes of it (other columns' order, codecs, row
/// groups, columns more or less) we read.
/// </summary>
public sealed class DuckDbCrossReadTests : IDisposable
{
    private static readonly string[] Hard = ["", " ", "é", "日本語", "a\u0000b", "\U0001F600", "</think>", "it's \"quoted\"\n"];

    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.String[Gen.Char.AlphaNumeric, 0, 20], Gen.Int[0, Hard.Length - 1].Select(i => Hard[i]),
        Gen.String[Gen.Char['a', 'c'], 200, 400]);

    private static readonly Gen<Trace> Traces = Gen.Select(
        Gen.Int[0, 50], Text, Text.Null(), Text.Null(), Gen.ULong, Gen.Int[-5, 300].Array[0, 6], Gen.Float.Array[0, 6]).Select(
        (index, reasoning, answer, refusal, seed, ids, values) => SampleTraces.One(index) with
        {
            Reasoning = reasoning,
            Answer = answer,
            Refusal = refusal,
            Seed = seed,
            TokenIds = ids,
            TopLogProbabilities = values,
            Preamble = index % 3 == 0 ? [new TraceMessage("system", reasoning)] : [],
        });

    private static readonly string[] Codecs = ["snappy", "zstd", "gzip", "uncompressed", "lz4_raw"];

    private readonly TemporaryFolder folder = new();
    private readonly DuckDBConnection connection = new("DataSource=:memory:");

    public DuckDbCrossReadTests() => connection.Open();

    public void Dispose()
    {
        connection.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void What_we_write_reads_value_by_value() => Gen.Select(Traces.Array[0, 30], Gen.Int[1, 9], Gen.Bool).Sample(
        (traces, rowsPerGroup, keepTokens) =>
        {
            string path = Written(traces, rowsPerGroup, keepTokens);
            using var reader = Query(
                $"SELECT reasoning, answer, refusal, seed, token_ids, top_logprobs, preamble, len(messages) FROM '{path}'");
            foreach (var trace in traces)
            {
                reader.Read().ShouldBeTrue();
                reader.GetString(0).ShouldBe(trace.Reasoning);
                (reader.IsDBNull(1) ? null : reader.GetString(1)).ShouldBe(trace.Answer);
                (reader.IsDBNull(2) ? null : reader.GetString(2)).ShouldBe(trace.Refusal);
                reader.GetFieldValue<ulong>(3).ShouldBe(trace.Seed);
                reader.GetFieldValue<List<int>>(4).ShouldBe(keepTokens ? trace.TokenIds : []);
                reader.GetFieldValue<List<float>>(5).ShouldBe(keepTokens ? trace.TopLogProbabilities : []);
                reader.IsDBNull(6).ShouldBe(trace.Preamble.Count == 0);
                reader.GetFieldValue<long>(7).ShouldBe(2 + trace.Preamble.Count);
            }

            reader.Read().ShouldBeFalse();
        },
        iter: 150, threads: 1);

    [Fact]
    public void What_another_writer_makes_of_it_reads_as_the_same_traces() =>
        Gen.Select(Traces.Array[0, 30], Gen.Int[0, Codecs.Length - 1], Gen.Int[1, 3], Gen.Int).Sample(
            (traces, codec, groups, shuffle) =>
            {
                string path = Written(traces, 7, keepTokens: true), copy = folder["copy.parquet"];
                var random = new Random(shuffle);
                var columns = TraceColumns.Raw.Select(column => column.Name).OrderBy(_ => random.Next()).ToList();
                bool withoutTop = random.Next(3) == 0;
                if (withoutTop) columns.RemoveAll(name => name is "top_ids" or "top_logprobs");
                columns.Insert(random.Next(columns.Count), "42 AS somebodys_own");
                Execute($"COPY (SELECT {string.Join(", ", columns)} FROM '{path}') TO '{copy}' "
                    + $"(FORMAT parquet, CODEC '{Codecs[codec]}', ROW_GROUP_SIZE {groups * 2048})");
                var expected = traces.Select(trace => withoutTop ? trace with { TopIds = [], TopLogProbabilities = [] } : trace);
                TraceFile.Read(copy).Select(TraceDigest.Of).ShouldBe(expected.Select(TraceDigest.Of));
            },
            iter: 150, threads: 1);

    private string Written(IReadOnlyList<Trace> traces, int rowsPerGroup, bool keepTokens)
    {
        File.Delete(folder["t.parquet"]);
        TraceFile.Write(folder["t.parquet"], traces, new TraceFileOptions { RowsPerGroup = rowsPerGroup, KeepTokens = keepTokens });
        return folder["t.parquet"];
    }

    private DuckDBDataReader Query(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (DuckDBDataReader)command.ExecuteReader();
    }

    private void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
