using System.IO.Compression;
using System.Text;
using System.Text.Json;
using CsCheck;
using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using DuckDB.NET.Data;
using ZstdSharp;

namespace Distill.Data.Tests.Sources;

/// <summary>The same rows in every form a file can have.</summary>
public sealed class FileSourceTests : IDisposable
{
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["abc ,;\"'\n\\{}éß中0123\t"], 1, 30].Select(text => $"x{text}y"),
        Gen.Const("emoji \U0001F600 and \u05d0"), Gen.Const("NULL"), Gen.Const("[1, 2"), Gen.Const("true"));

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Rows_written_in_every_form_are_read_back_equal() => Gen.Select(Texts, Texts).Array[1, 12].Sample(rows =>
    {
        var expected = rows.Select(row => (row.Item1.Replace("\r\n", "\n").Trim(), row.Item2.Trim())).ToArray();
        foreach (string path in WriteAll(rows))
        {
            SourceReading.Problems(path, SourceReading.Columns("question", "answer") with { Format = "columns" })
                .Select(problem => (problem.Text, problem.ReferenceAnswer)).ToArray().ShouldBe(expected, Path.GetFileName(path));
            File.Delete(path);
        }
    }, iter: 20, threads: 1);

    [Fact]
    public void A_problem_has_an_id_and_a_split_by_its_content_and_the_source_as_its_domain()
    {
        var problem = SourceReading.Problems(folder.File("q.jsonl", """{"question":" Who? ","answer":" me "}""")).ShouldHaveSingleItem();

        (problem.Text, problem.ReferenceAnswer, problem.Source, problem.Domain, problem.Level).ShouldBe(("Who?", "me", "own", "own", 1));
        problem.Signature.ShouldBe("text:1d8176d17935a44c5d8cd0687a0e81f3");
        problem.Id.ShouldBe($"own/{problem.Signature[5..21]}");
        problem.Split.ShouldBe(SplitRule.Of(problem.Signature));
        problem.Verifier.ShouldBe("auto");
    }

    [Theory]
    [InlineData("What  is\nthis?", "what is THIS?")]
    [InlineData("a\u00a0b", "A b")]
    [InlineData("a\u200bb", "ab")]
    public void Texts_that_differ_in_space_and_case_are_one_question(string one, string other) =>
        ProblemText.SignatureOf(one).ShouldBe(ProblemText.SignatureOf(other));

    [Theory]
    [InlineData("2 + 2", "2 - 2")]
    [InlineData("x\u00b2", "x2")]
    [InlineData("ab", "a b")]
    public void Texts_that_ask_something_else_are_two(string one, string other) =>
        ProblemText.SignatureOf(one).ShouldNotBe(ProblemText.SignatureOf(other));

    [Fact]
    public void A_signature_never_changes()
    {
        ProblemText.SignatureOf("What is 2 + 2?").ShouldBe("text:692a9daa52e42c50943f4784c639bfc7");
        ProblemText.SignatureOf("  Größe\t= ? ").ShouldBe(ProblemText.SignatureOf("größe = ?  "));
    }

    [Fact]
    public void Several_files_are_one_source_in_the_order_of_their_names()
    {
        folder.File("b/2.jsonl", """{"question":"two","answer":"2"}""");
        folder.File("b/1.jsonl", """{"question":"one","answer":"1"}""");
        folder.File("b/deep/3.jsonl", """{"question":"three","answer":"3"}""");
        folder.File("b/other.txt", "no");

        SourceReading.Items(folder["b/*.jsonl"]).Select(item => item.Place.ToString()).ShouldBe(["1.jsonl, line 1", "2.jsonl, line 1"]);
        SourceReading.Problems(folder["b/**/*.jsonl"]).Select(problem => problem.Text).ShouldBe(["one", "two", "three"]);
        Should.Throw<InvalidDataException>(() => SourceFile.Find(folder["b"])).Message.ShouldContain("is a folder");
        Should.Throw<InvalidDataException>(() => SourceFile.Find(folder["b/*.csv"])).Message.ShouldContain("No file matches");
        Should.Throw<InvalidDataException>(() => SourceFile.Find(folder["none.csv"])).Message.ShouldContain("There is no file");
    }

    [Fact]
    public void Rows_may_carry_their_own_ids_each_once()
    {
        string path = folder.File("q.csv", "question,answer,key\nq1,1,a\nq2,2,b\nq3,3,a\n");
        var reading = SourceReading.Columns() with
        {
            Columns = new() { Id = Distill.Data.Sources.Formats.ColumnExpression.Parse("key") },
        };

        SourceReading.Items(path, reading).Select(item => item.Problem?.Id ?? item.Fault).ShouldBe(
            ["own/a", "own/b", "the id 'own/a' is that of q.csv, line 2 too"]);
    }

    [Fact]
    public void Questions_alone_are_enough_where_nothing_else_counts()
    {
        string path = folder.File("q.jsonl", """{"question":"Who?"}""");
        SourceReading.Faults(path).ShouldHaveSingleItem().ShouldContain("no answer");
        SourceReading.Problems(path, new RowReading { QuestionsOnly = true }).ShouldHaveSingleItem().Text.ShouldBe("Who?");
    }

    [Fact]
    public void A_csv_may_be_separated_by_semicolons_and_end_its_lines_by_two_characters()
    {
        File.WriteAllText(folder["q.csv"], "\uFEFFquestion;answer\r\n\"a;\r\n\"\"b\"\"\";1\r\n\r\nc;2\r\n");

        SourceReading.Items(folder["q.csv"]).Select(item => (item.Place.Number, item.Problem!.Text)).ShouldBe(
            [(2, "a;\n\"b\""), (5, "c")]);
    }

    [Theory]
    [InlineData("""[{"question":"q1","answer":"1"}, {"question":"q2","answer":"2"}]""")]
    [InlineData("""{"version": 1, "data": [{"question":"q1","answer":"1"}, {"question":"q2","answer":"2"}]}""")]
    [InlineData("{\"question\":\"q1\",\"answer\":\"1\"}\n{\"question\":\"q2\",\"answer\":\"2\"}")]
    public void A_json_file_is_a_list_an_object_with_one_or_lines(string text) =>
        SourceReading.Problems(folder.File("q.json", text)).Select(problem => problem.Text).ShouldBe(["q1", "q2"]);

    [Fact]
    public void What_no_name_tells_the_first_bytes_tell()
    {
        SourceReading.Problems(folder.File("lines", """{"question":"q1","answer":"1"}""")).Length.ShouldBe(1);
        SourceReading.Problems(folder.File("list", """ [{"question":"q1","answer":"1"}]""")).Length.ShouldBe(1);
        Should.Throw<InvalidDataException>(() => SourceReading.Items(folder.File("prose", "Hello"))).Message.ShouldContain(".jsonl");
    }

    private IEnumerable<string> WriteAll((string Question, string Answer)[] rows)
    {
        byte[] lines = Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => Json(row) + "\n")));
        byte[] csv = Encoding.UTF8.GetBytes("question,answer\n"
            + string.Concat(rows.Select(row => $"{Quoted(row.Question)},{Quoted(row.Answer)}\n")));
        byte[] tsv = Encoding.UTF8.GetBytes("question\tanswer\n"
            + string.Concat(rows.Select(row => $"{Quoted(row.Question)}\t{Quoted(row.Answer)}\n")));
        yield return Written("r.jsonl", lines);
        yield return Written("r.json", Encoding.UTF8.GetBytes($"[{string.Join(",\n", rows.Select(Json))}]"));
        yield return Written("r.csv", csv);
        yield return Written("r.tsv", tsv);
        yield return Written("r.jsonl.gz", Gzipped(lines));
        yield return Written("r.csv.zst", Zstandard(csv));
        yield return Written("r.jsonl.zst", [.. Zstandard(lines[..(lines.Length / 2)]), .. Zstandard(lines[(lines.Length / 2)..])]);
        foreach (string codec in (string[])["zstd", "snappy", "gzip", "lz4", "brotli", "uncompressed"]) yield return Parquet(rows, codec);
    }

    private string Written(string name, byte[] content)
    {
        File.WriteAllBytes(folder[name], content);
        return folder[name];
    }

    private string Parquet((string Question, string Answer)[] rows, string codec)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "CREATE TABLE t (question VARCHAR, answer VARCHAR)";
        command.ExecuteNonQuery();
        foreach (var (question, answer) in rows)
        {
            command.CommandText = $"INSERT INTO t VALUES ({Sql(question)}, {Sql(answer)})";
            command.ExecuteNonQuery();
        }

        command.CommandText = $"COPY t TO {Sql(folder["r.parquet"])} (FORMAT parquet, CODEC '{codec}')";
        command.ExecuteNonQuery();
        return folder["r.parquet"];
    }

    private static string Sql(string text) => $"'{text.Replace("'", "''")}'";

    private static string Json((string Question, string Answer) row) =>
        JsonSerializer.Serialize(new { question = row.Question, answer = row.Answer });

    private static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"")}\"";

    private static byte[] Gzipped(byte[] content)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionMode.Compress)) gzip.Write(content);
        return stream.ToArray();
    }

    private static byte[] Zstandard(byte[] content)
    {
        using var compressor = new Compressor();
        return compressor.Wrap(content).ToArray();
    }
}
