using System.IO.Compression;
using System.Text;
using CsCheck;
using Distill.Data.Sources;
using Distill.Data.Sources.Files;
using Distill.Data.Sources.Formats;

namespace Distill.Data.Tests.Sources;

/// <summary>Files as people, spreadsheets, broken disks and enemies leave them.</summary>
public sealed class MalformedFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Every_bad_line_is_named_with_its_number_and_reason_and_the_others_are_read()
    {
        string path = folder.File("own.jsonl", """
            {"question":"q1","answer":"1"}
            {"question":"q2"}

            {"question":"q3","answer":"3"
            [1, 2]
            {"question":"","answer":"4"}
            {"question":"q5","answer":["a"]}
            {"question":"q6","answer":"6","answer":"7"}
            {"question":"q7 \ud800","answer":"7"}
            {"question":"q8","answer":"   "}
            {"question":"q9","answer":9}
            """);

        SourceReading.Faults(path).ShouldBe(
        [
            "own.jsonl, line 2: no answer: none of the columns answer, final_answer, "
                + "expected_answer, reference_answer, gold has a value (there are question)",
            "own.jsonl, line 4: not JSON: Expected depth to be zero at the end of the JSON payload. "
                + "There is an open JSON object or array that should be closed (column 30)",
            "own.jsonl, line 5: a list, not an object with named values",
            "own.jsonl, line 6: no question: none of the columns question, problem, prompt, "
                + "instruction, query, input, text has a value (there are question, answer)",
            "own.jsonl, line 7: 'answer' is a list, not text; name what stands in it, e.g. answer.0",
            "own.jsonl, line 8: not JSON: Duplicate property 'answer' encountered during deserialization",
            "own.jsonl, line 9: 'question' is not valid text",
            "own.jsonl, line 10: the answer is empty",
        ], Case.Sensitive, string.Join('\n', SourceReading.Faults(path)));
        SourceReading.Items(path).Select(item => item.Problem?.Text).OfType<string>().ShouldBe(["q1", "q9"]);
    }

    [Fact]
    public void Rows_of_a_csv_that_do_not_fit_its_header_are_bad_rows()
    {
        string path = folder.File("own.csv", "question,answer\nq1,1\nq2\nq3,3,4\nq\"4,4\nq5,5\n");

        SourceReading.Faults(path).ShouldBe(
        [
            "own.csv, line 3: 1 fields where the header names 2",
            "own.csv, line 4: 3 fields where the header names 2",
            "own.csv, line 5: a quote within a field that is not quoted; put the field in quotes and double the quote",
        ]);
        SourceReading.Items(path).Count(item => item.Problem is not null).ShouldBe(2);
    }

    [Theory]
    [InlineData("question,question\na,b\n", "two columns are called 'question'")]
    [InlineData("question,\na,b\n", "a column without a name")]
    [InlineData("question,answer\n\"a,b\nc,d\n", "a quote that is never closed")]
    public void A_csv_that_cannot_be_told_apart_into_rows_is_refused_as_a_whole(string text, string reason)
    {
        string path = folder.File("own.csv", text);
        Should.Throw<InvalidDataException>(() => SourceReading.Items(path)).Message.ShouldContain(reason);
    }

    [Theory]
    [InlineData("own.jsonl"), InlineData("own.json"), InlineData("own.csv"), InlineData("own.tsv")]
    public void Other_encodings_are_refused_with_the_remedy(string name)
    {
        File.WriteAllText(folder[name], "question,answer\nq,1\n", Encoding.Unicode);
        Should.Throw<InvalidDataException>(() => SourceReading.Items(folder[name])).Message.ShouldContain("iconv -f UTF-16 -t UTF-8");
    }

    [Fact]
    public void A_csv_of_a_spreadsheet_in_latin_letters_is_refused_with_the_remedy()
    {
        File.WriteAllBytes(folder["own.csv"], Encoding.Latin1.GetBytes("question,answer\nq1,1\nWie groß?,2\n"));
        Should.Throw<InvalidDataException>(() => SourceReading.Items(folder["own.csv"])).Message
            .ShouldBe("own.csv, line 3: not UTF-8. Save it as UTF-8 (Excel: 'CSV UTF-8'), e.g. by iconv -f WINDOWS-1252 -t UTF-8.");
    }

    [Fact]
    public void A_line_beyond_the_bound_is_passed_over_and_named()
    {
        using (var writer = new StreamWriter(folder["own.jsonl"]))
        {
            writer.WriteLine("""{"question":"q1","answer":"1"}""");
            writer.WriteLine($$"""{"question":"{{new string('x', RowLimits.RowBytes)}}","answer":"1"}""");
            writer.WriteLine("""{"question":"q3","answer":"3"}""");
            writer.Write(new string('y', RowLimits.RowBytes + 5)); // and the file ends
        }

        SourceReading.Items(folder["own.jsonl"]).Select(item => (item.Place.Number, item.Fault)).ShouldBe(
            [(1, null), (2, "longer than 16,777,216 bytes"), (3, null), (4, "longer than 16,777,216 bytes")]);
    }

    [Fact]
    public void A_problem_too_long_to_be_written_again_is_a_bad_row()
    {
        string path = folder.File("own.jsonl", $$"""{"question":"{{new string('x', ProblemMaker.MostBytes)}}","answer":"1"}""");
        SourceReading.Faults(path).ShouldHaveSingleItem().ShouldContain("at most 262,144 can be asked");
    }

    [Theory]
    [InlineData(""" "just text" """, "neither a list")]
    [InlineData("""{"a": 1, "b": 2}""", "no question")]
    [InlineData("""[{"question":"q","answer":"1"}, {""", "line 1: not JSON")]
    [InlineData("""{"train": [{"q":1}], "test": [{"q":2}]}""", "several lists (train, test)")]
    [InlineData("", "")]
    public void A_json_file_of_another_shape_says_what_is_wrong(string text, string reason)
    {
        string path = folder.File("own.json", text);
        string said = string.Join('\n', Try(path));
        if (reason.Length == 0) said.ShouldNotBeEmpty();
        else said.ShouldContain(reason);
    }

    [Fact]
    public void Nesting_is_bounded()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 100_000));
        SourceReading.Faults(folder.File("own.jsonl", $$"""{"question":"q","answer":{{deep}}}""")).ShouldHaveSingleItem()
            .ShouldContain("not JSON");
        Should.Throw<InvalidDataException>(() => SourceReading.Items(folder.File("own.json", deep))).Message.ShouldContain("not JSON");
    }

    [Fact]
    public void A_bomb_is_refused_before_it_goes_off()
    {
        using (var gzip = new GZipStream(File.Create(folder["own.jsonl.gz"]), CompressionLevel.Optimal))
        {
            var zeros = new byte[1 << 20];
            for (int i = 0; i < 100; i++) gzip.Write(zeros);
        }

        Should.Throw<InvalidDataException>(() => SourceReading.Items(folder["own.jsonl.gz"])).Message
            .ShouldContain("expands to more than 250 times");
    }

    [Theory]
    [InlineData("own.jsonl.gz"), InlineData("own.jsonl.zst")]
    public void What_is_cut_off_within_its_compression_is_refused_and_not_read_as_shorter(string name)
    {
        var text = new StringBuilder();
        for (int i = 0; i < 5000; i++) text.Append($$"""{"question":"question number {{i * 7919}}","answer":"{{i}}"}""").Append('\n');
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        byte[] whole = name.EndsWith("gz") ? Gzipped(bytes) : new ZstdSharp.Compressor().Wrap(bytes).ToArray();
        File.WriteAllBytes(folder[name], whole);
        SourceReading.Items(folder[name]).Length.ShouldBe(5000);
        foreach (int cut in (int[])[whole.Length / 2, whole.Length - 5, whole.Length - 1])
        {
            File.WriteAllBytes(folder[name], whole[..cut]);
            Should.Throw<InvalidDataException>(() => SourceReading.Items(folder[name]), $"{cut} of {whole.Length}").Message
                .ShouldContain("cut off");
        }
    }

    [Fact]
    public void Garbage_is_bad_rows_or_refused_and_nothing_else() =>
    Gen.Select(Gen.Byte.Array[0, 400], Gen.Int[0, 4]).Sample((bytes, kind) =>
    {
        string path = folder[new[] { "g.jsonl", "g.json", "g.csv", "g.parquet", "g.jsonl.gz" }[kind]];
        File.WriteAllBytes(path, bytes);
        _ = Try(path).ToList();
    }, iter: 300, threads: 1);

    [Fact]
    public void Damaged_rows_are_bad_rows_or_other_rows_and_nothing_else() => Gen.Select(Gen.Int[0, 400], Gen.Byte).Sample((at, value) =>
    {
        byte[] text = Encoding.UTF8.GetBytes("""
            {"question":"q1","answer":"1","choices":["a","b"]}
            {"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"\\boxed{1}"}]}
            {"problem":"q","solution":"\\boxed{1}","level":"Level 3"}
            {"question":"q1","answer":"so\n#### 5"}
            """);
        text[at % text.Length] = value;
        File.WriteAllBytes(folder["d.jsonl"], text);
        foreach (var format in ProblemFormats.Names) _ = Try(folder["d.jsonl"], new RowReading { Format = format }).ToList();
    }, iter: 300, threads: 1);

    private static IEnumerable<string> Try(string path, RowReading? reading = null)
    {
        try
        {
            return [.. SourceReading.Items(path, reading).Select(item => item.Fault ?? "")];
        }
        catch (InvalidDataException refused)
        {
            return [refused.Message];
        }
    }

    private static byte[] Gzipped(byte[] content)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionMode.Compress)) gzip.Write(content);
        return stream.ToArray();
    }
}
