using System.Text.Json;
using Distill.Data.Publishing;
using Distill.Data.Publishing.Formats;
using Distill.Data.Traces;
using DuckDB.NET.Data;

namespace Distill.Data.Tests.Publishing;

/// <summary>What goes out in a format comes back from it.</summary>
public sealed class RoundTripTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly IReadOnlyList<Trace> traces = SamplePublication.Many(24);

    public static TheoryData<string> Formats => [.. TraceFormats.All.Select(format => format.Name)];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void Question_thought_answer_and_gold_come_back(string format)
    {
        string path = Export(format);

        foreach (string asked in (string[])[format, TraceFormats.Auto])
        {
            var read = TraceImport.Read(path, new TraceImportOptions { Format = asked }).ToList();
            read.Select(Said).ShouldBe(traces.Select(Said), asked);
            read.Select(trace => (trace.Problem.Id, trace.SampleIndex)).Distinct().Count().ShouldBe(traces.Count);
            read.ShouldAllBe(trace => trace.TokenIds.Count == 0 && trace.Problem.Signature.StartsWith("text:"));
        }
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("prompt-completion")]
    public void Formats_with_room_for_it_keep_where_a_trace_is_from(string format)
    {
        var read = TraceImport.Read(Export(format)).ToList();

        read.Select(Origin).ShouldBe(traces.Select(Origin));
        read.Where(trace => trace.Problem.System is not null).ShouldNotBeEmpty();
        read.Select(trace => trace.Problem.System).ShouldBe(traces.Select(trace => trace.Problem.System));

        static object Origin(Trace trace) => (trace.Problem.Id, trace.Problem.Domain, trace.Problem.Split, trace.Problem.Source,
            trace.Teacher, trace.SampleIndex, trace.CompletionTokens, trace.Problem.ReferenceAnswer);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_row_has_the_columns_that_its_format_declares(string format)
    {
        var declared = TraceFormats.Get(format).Columns.Select(column => column.Name).ToList();
        foreach (string line in File.ReadLines(Export(format)))
        {
            using var row = JsonDocument.Parse(line);
            row.RootElement.EnumerateObject().Select(property => property.Name).ShouldBe(declared);
        }
    }

    /// <summary>Parquet that another writer made of the lines, as such data sets lie on the Hub.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void The_same_rows_in_Parquet_read_as_the_same_traces(string format)
    {
        string lines = Export(format), parquet = folder[$"{format}.parquet"];
        string columns = string.Join(", ", TraceFormats.Get(format).Columns.Select(column => $"\"{column.Name}\": '{column.Type}'"));
        using (var connection = new DuckDBConnection("DataSource=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY (SELECT * FROM read_json('{lines}', format='newline_delimited', columns={{{columns}}})) "
                + $"TO '{parquet}' (FORMAT parquet, COMPRESSION gzip)";
            command.ExecuteNonQuery();
        }

        TraceImport.Read(parquet).Select(Said).ShouldBe(traces.Select(Said));
    }

    [Fact]
    public void Our_own_files_come_back_whole_and_without_their_grades()
    {
        TraceFile.Write(folder["data/train-0.parquet"], traces.Take(20));
        TraceFile.Write(folder["data/train-1.parquet"], traces.Skip(20));
        TraceFile.Write(folder["graded.parquet"], traces.Select(SamplePublication.Graded));

        TraceImport.Read(folder["data"]).Select(TraceDigest.Of).ShouldBe(traces.Select(TraceDigest.Of));
        TraceImport.Read(folder["graded.parquet"], new TraceImportOptions { Format = "hf" }).Select(TraceDigest.Of)
            .ShouldBe(traces.Select(TraceDigest.Of));
    }

    [Fact]
    public void A_problem_s_samples_are_one_row_of_OpenR1()
    {
        var rows = File.ReadLines(Export("openr1")).Select(line => JsonDocument.Parse(line).RootElement).ToList();

        rows.Count.ShouldBe(24);
        rows[0].GetProperty("generations").GetArrayLength().ShouldBe(2);
        rows[0].GetProperty("generations")[0].GetString().ShouldBe("<think>\n7 + 5 = 12\n</think>\n\n12");
        rows[0].GetProperty("correctness_math_verify").EnumerateArray().Select(item => item.GetBoolean()).ShouldBe([true, false]);
        rows[0].GetProperty("correctness_count").GetInt32().ShouldBe(1);
        rows[4].GetProperty("finish_reasons")[0].GetString().ShouldBe("length");
        rows[4].GetProperty("is_reasoning_complete")[0].GetBoolean().ShouldBeFalse();
    }

    private static (string, string, string?, string, bool) Said(Trace trace) =>
        (trace.Problem.Text, trace.Reasoning, trace.Answer, trace.Problem.ReferenceAnswer, trace.StopReason == "length");

    private string Export(string format)
    {
        string path = folder[$"{format}.jsonl"];
        TraceExport.WriteLines(path, SamplePublication.Published(traces, graded: true), TraceFormats.Get(format));
        return path;
    }
}
