using System.Diagnostics;
using Distill.Data.Sources.Files;
using DuckDB.NET.Data;

namespace Distill.Data.Tests.Sources;

/// <summary>Parquet as other writers leave it.</summary>
public sealed class ForeignParquetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Lists_structs_maps_and_nulls_are_read_as_they_are()
    {
        Write("""
            SELECT 'q1' AS question, struct_pack(text := ['x', NULL, 'z'], label := ['A', 'B', 'C']) AS choices, 'C' AS answerKey
            UNION ALL SELECT 'q2', NULL, 'A'
            UNION ALL SELECT 'q3', struct_pack(text := ['x', 'y', 'z'], label := NULL), 'B'
            UNION ALL SELECT 'q4', struct_pack(text := [], label := []), 'B'
            """);

        var items = SourceReading.Items(folder["f.parquet"], new() { Format = "multiple_choice" });
        items.Select(item => item.Place.ToString()).ShouldBe(
            ["f.parquet, row 1", "f.parquet, row 2", "f.parquet, row 3", "f.parquet, row 4"]);
        items.Select(item => item.Problem?.ReferenceAnswer).ShouldBe([null, null, "B", null]);
        items[0].Fault!.ShouldContain("nothing, not text");
        items[1].Fault!.ShouldContain("fewer than two choices");
    }

    [Theory]
    [InlineData("SELECT 'q' AS question, 42::INTEGER AS answer", "42")]
    [InlineData("SELECT 'q' AS question, 1.50::DECIMAL(5,2) AS answer", "1.50")]
    [InlineData("SELECT 'q' AS question, 9007199254740993::BIGINT AS answer", "9007199254740993")]
    [InlineData("SELECT 'q' AS question, 0.1::DOUBLE AS answer", "0.1")]
    [InlineData("SELECT 'q' AS question, true AS answer", "true")]
    [InlineData("SELECT 'q' AS question, DATE '2024-02-29' AS answer", "2024-02-29")]
    [InlineData("SELECT 'q' AS question, 'text'::BLOB AS answer", "text")]
    [InlineData("SELECT 'q' AS question, 'b'::ENUM('a', 'b') AS answer", "b")]
    public void Values_of_every_type_are_read_as_they_are_written(string row, string answer)
    {
        Write(row);
        SourceReading.Problems(folder["f.parquet"]).ShouldHaveSingleItem().ReferenceAnswer.ShouldBe(answer);
    }

    [Fact]
    public void No_rows_are_no_problems_and_no_fault()
    {
        Write("SELECT 'q' AS question, 'a' AS answer WHERE false");
        SourceReading.Items(folder["f.parquet"]).ShouldBeEmpty();
    }

    [Fact]
    public void Dictionary_pages_many_row_groups_and_many_rows_keep_their_order()
    {
        Write("SELECT 'question ' || i AS question, 'answer ' || (i % 7) AS answer FROM range(30000) t(i)", "ROW_GROUP_SIZE 2048");
        SourceReading.Problems(folder["f.parquet"]).Select(problem => problem.Text).ShouldBe(
            Enumerable.Range(0, 30000).Select(i => $"question {i}"));
    }

    [Fact]
    public void Names_with_quotes_dots_and_blanks_are_names()
    {
        Write("SELECT 'q' AS \"my \"\"question\"\"\", 'a' AS \"the.answer\"");
        var columns = new Distill.Data.Sources.Formats.ColumnMapping
        {
            Question = Distill.Data.Sources.Formats.ColumnExpression.Parse("my \"question\""),
            Answer = Distill.Data.Sources.Formats.ColumnExpression.Parse("the.answer"),
        };
        SourceReading.Problems(folder["f.parquet"], new() { Columns = columns }).ShouldHaveSingleItem().ReferenceAnswer.ShouldBe("a");
        string odd = folder["it's; DROP.parquet"];
        File.Copy(folder["f.parquet"], odd);
        SourceReading.Problems(odd, new() { Columns = columns }).Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("[f].parquet"), InlineData("?.parquet"), InlineData("*.parquet"), InlineData("[f]/f.parquet")]
    public void A_name_that_is_a_pattern_is_refused_and_reads_no_other_file(string name)
    {
        Write("SELECT 'q' AS question, 'a' AS answer");
        string odd = folder.File(name, "");
        File.Copy(folder["f.parquet"], odd, overwrite: true);
        var file = SourceFile.Matching(folder.Path, "**").Single(found => found.Name == name);
        Should.Throw<InvalidDataException>(() => SourceRows.Read(file).ToList()).Message.ShouldContain("read as a pattern; rename");
    }

    [Fact]
    public void Only_the_columns_that_count_are_read_where_the_format_names_them()
    {
        Write("SELECT 'p' AS problem, '7' AS answer, 's' AS solution, repeat('x', 20000000) AS generations");
        SourceReading.Problems(folder["f.parquet"], new() { Format = "open_r1" }).ShouldHaveSingleItem().ReferenceAnswer.ShouldBe("7");
        SourceReading.Faults(folder["f.parquet"], new() { Format = "columns" }).ShouldHaveSingleItem()
            .ShouldContain("longer than 16,777,216");
    }

    [Fact]
    public void A_file_that_is_none_or_is_cut_off_is_refused_with_its_name()
    {
        Write("SELECT 'question ' || i AS question, 'a' AS answer FROM range(1000) t(i)");
        byte[] whole = File.ReadAllBytes(folder["f.parquet"]);
        foreach (byte[] bytes in (byte[][])[[], [1, 2, 3], whole[..(whole.Length / 2)], whole[..^1],
            [.. "PAR1"u8, .. new byte[100], .. "PAR1"u8]])
        {
            File.WriteAllBytes(folder["f.parquet"], bytes);
            Should.Throw<InvalidDataException>(() => SourceReading.Items(folder["f.parquet"])).Message
                .ShouldStartWith("Cannot read 'f.parquet' as Parquet");
        }
    }

    [Fact]
    public void A_damaged_byte_anywhere_is_read_or_refused_and_nothing_else()
    {
        Write("SELECT 'question ' || i AS question, 'a' AS answer FROM range(200) t(i)");
        byte[] whole = File.ReadAllBytes(folder["f.parquet"]);
        for (int at = 0; at < whole.Length; at += Math.Max(1, whole.Length / 60))
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x5A;
            File.WriteAllBytes(folder["d.parquet"], damaged);
            try
            {
                _ = SourceReading.Items(folder["d.parquet"]);
            }
            catch (InvalidDataException refused)
            {
                refused.Message.ShouldContain("d.parquet");
            }
        }
    }

    // 100,000 equal texts of 60 kB each take a few kilobytes in the file and six gigabytes as text.
    [Fact]
    public void A_bomb_of_equal_values_takes_bounded_memory()
    {
        Write("SELECT repeat('x', 60000) || (i % 2) AS question, 'a' AS answer FROM range(20000) t(i)");
        long before = Process.GetCurrentProcess().PeakWorkingSet64;

        SourceRows.Read(SourceFile.Find(folder["f.parquet"])[0]).Count().ShouldBe(20000);

        (Process.GetCurrentProcess().PeakWorkingSet64 - before).ShouldBeLessThan(1500L << 20);
    }

    [Fact]
    public void A_list_of_an_old_writer_is_a_list()
    {
        File.WriteAllBytes(folder["old.parquet"], LegacyParquet.RepeatedText("choices", [["x", "y"], [], ["z", "w", "v"]]));

        var items = SourceRows.Read(SourceFile.Find(folder["old.parquet"])[0]).Select(row => row.Value.GetRawText()).ToList();

        items.ShouldBe(["""{"choices":["x","y"]}""", """{"choices":[]}""", """{"choices":["z","w","v"]}"""]);
    }

    private void Write(string select, string options = "")
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"COPY ({select}) TO '{folder["f.parquet"]}' (FORMAT parquet{(options.Length > 0 ? ", " + options : "")})";
        command.ExecuteNonQuery();
    }
}
