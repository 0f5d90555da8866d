using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Tests.Publishing;

/// <summary>Questions that are answered, and those that would reach out of the files they are about.</summary>
public sealed class TraceQueryTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly TraceQuery query;

    public TraceQueryTests()
    {
        TraceFile.Write(folder["it's/graded.parquet"], SamplePublication.Many(40).Select(SamplePublication.Graded));
        using (var stream = File.Create(folder["problems.jsonl"]))
            ProblemFile.Write(stream, SamplePublication.Many(40, samples: 1).Select(trace => trace.Problem));
        folder.File("secret.csv", "a,b\n1,2\n");
        query = TraceQuery.Open(TraceSet.Of(folder["it's/graded.parquet"]), [folder["problems.jsonl"]]);
    }

    public void Dispose()
    {
        query.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("select verdict, count(*) n from traces group by 1 order by n, 1")]
    [InlineData("select verdict, count(*) n from traces group by 1 order by n, 1;  ")]
    [InlineData("-- a comment\nfrom traces select verdict, count(*) as n group by all order by all desc -- another")]
    [InlineData("with t as (select * from traces) select verdict, count(*) n from t group by 1 order by n, 1")]
    public void Rows_come_as_objects_in_their_order(string sql) => string.Join('\n', query.Run(sql)).Split('\n').Order()
        .ShouldBe(["""{"verdict":"correct","n":32}""", """{"verdict":"incorrect","n":32}""", """{"verdict":"undecidable","n":16}"""]);

    [Fact]
    public void Order_lists_structures_and_problems_are_there()
    {
        query.Run("select sample_index from traces order by problem_id desc, sample_index limit 3")
            .Select(row => row.GetProperty("sample_index").GetInt32()).ShouldBe([0, 1, 0]);
        query.Run("select messages[1].role as who, token_ids as ids, null as nothing from traces limit 1").Single().GetRawText()
            .ShouldBe("""{"who":"user","ids":[],"nothing":null}""");
        // A column of the name that the row once had here.
        query.Run("select problem_id, answer from traces limit 1").Single().EnumerateObject().Select(cell => cell.Name)
            .ShouldBe(["problem_id", "answer"]);
        query.Run("select count(*) n from traces t join problems p using (problem_id)").Single().GetProperty("n").GetInt32().ShouldBe(80);
    }

    [Theory]
    [InlineData("copy (select 1) to 'FOLDER/out.csv'")]
    [InlineData("copy (select 1 as a) to 'FOLDER/it''s/graded.parquet'")]
    [InlineData("select 1) answer; copy (select 1 as a) to 'FOLDER/it''s/graded.parquet'; select * from (select 1")]
    [InlineData("select 1) distill_row_of_the_answer; copy (select 1 as a) to 'FOLDER/it''s/graded.parquet'; select * from (select 1")]
    [InlineData("select 1; select 2")]
    [InlineData("")]
    [InlineData("select * from 'FOLDER/secret.csv'")]
    [InlineData("select * from read_csv('FOLDER/secret.csv')")]
    [InlineData("select * from read_text('FOLDER/secret.csv')")]
    [InlineData("select * from glob('FOLDER/*')")]
    [InlineData("select * from read_parquet('https://example.com/x.parquet')")]
    [InlineData("attach 'FOLDER/x.db'")]
    [InlineData("install httpfs")]
    [InlineData("load httpfs")]
    [InlineData("set enable_external_access = true")]
    [InlineData("set memory_limit = '100GB'")]
    [InlineData("pragma enable_external_access")]
    [InlineData("drop view traces")]
    [InlineData("create table t as select 1")]
    [InlineData("export database 'FOLDER/x'")]
    public void Nothing_but_a_question_about_these_files_is_run(string sql)
    {
        string before = FileDigest.OfFile(folder["it's/graded.parquet"]);

        Should.Throw<QueryRefusedException>(() => query.Run(sql.Replace("FOLDER", folder.Path, StringComparison.Ordinal)).ToList(), sql);

        FileDigest.OfFile(folder["it's/graded.parquet"]).ShouldBe(before);
        Directory.EnumerateFileSystemEntries(folder.Path).Count().ShouldBe(3);
        query.Run("select count(*) n from traces").Single().GetProperty("n").GetInt32().ShouldBe(80);
    }

    [Fact]
    public void A_wrong_column_is_answered_with_those_there_are()
    {
        var refused = Should.Throw<QueryRefusedException>(() => query.Run("select verdikt from traces").ToList());

        refused.Message.ShouldContain("verdikt");
        refused.Hint.ShouldStartWith("traces: problem_id, problem, reference_answer");
        refused.Hint.ShouldContain("problems: problem_id, source");
    }

    [Fact]
    public void A_question_that_takes_too_much_memory_ends_and_the_next_is_answered()
    {
        using var small = TraceQuery.Open(TraceSet.Of(folder["it's/graded.parquet"]), [], "40MB");

        Should.Throw<QueryRefusedException>(
            () => small.Run("select list(a.problem || b.problem || c.i) from traces a, traces b, range(5000) c(i)").ToList())
            .Message.ShouldContain("memory", Case.Insensitive);
        small.Run("select count(*) n from traces").Single().GetProperty("n").GetInt32().ShouldBe(80);
    }

    [Theory]
    [InlineData("[g]raded.parquet"), InlineData("grade?.parquet"), InlineData("[x]/graded.parquet")]
    public void A_name_that_is_a_pattern_is_refused(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        File.Copy(folder["it's/graded.parquet"], folder[name]);
        File.Copy(folder["it's/graded.parquet"], folder["graded.parquet"]);
        var set = TraceSet.Of(folder[name]);

        Should.Throw<InvalidDataException>(() => TraceQuery.Open(set, []).Dispose()).Message.ShouldContain("as a pattern; rename");
        Should.Throw<InvalidDataException>(() => TraceStatistics.Of(set, keptOnly: true)).Message.ShouldContain("as a pattern; rename");
    }

    [Fact]
    public void What_is_called_off_ends()
    {
        using var cancellation = new CancellationTokenSource();
        using var rows = query.Run("select a.problem, b.i from traces a, range(100000000) b(i)", cancellation.Token).GetEnumerator();
        rows.MoveNext().ShouldBeTrue();
        cancellation.Cancel();

        Should.Throw<OperationCanceledException>(() =>
        {
            while (rows.MoveNext()) rows.Current.ValueKind.ShouldNotBe(System.Text.Json.JsonValueKind.Undefined);
        });
    }
}
