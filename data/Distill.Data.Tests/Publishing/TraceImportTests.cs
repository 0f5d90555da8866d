using System.IO.Compression;
using System.Text;
using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Traces;
using DuckDB.NET.Data;

namespace Distill.Data.Tests.Publishing;

/// <summary>Rows as the data sets on the Hub have them, and rows that are none.</summary>
public sealed class TraceImportTests : IDisposable
{
    private const string Good = """{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}""";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void OpenR1_gives_a_trace_for_each_generation()
    {
        var read = Read(OneLine("""
            {"problem":"1+1?","solution":"It is 2.","answer":"2","problem_type":"Algebra","question_type":"math-word-problem",
            "source":"olympiads","uuid":"u1","is_reasoning_complete":[true,false],
            "generations":["<think>\nadd\n</think>\n\nSo \\boxed{2}","<think>\nhmm"],"correctness_math_verify":[true,false],
            "correctness_llama":null,"finish_reasons":null,"correctness_count":1,
            "messages":[{"content":"1+1?","role":"user"},{"content":"<think>..","role":"assistant"}]}
            """));

        read.Count.ShouldBe(2);
        read[0].ShouldSatisfyAllConditions(
            () => read[0].Problem.Id.ShouldBe("u1"),
            () => read[0].Problem.Domain.ShouldBe("Algebra"),
            () => read[0].Problem.Source.ShouldBe("olympiads"),
            () => read[0].Problem.Verifier.ShouldBe("math"),
            () => read[0].Problem.ReferenceSolution.ShouldBe("It is 2."),
            () => read[0].Reasoning.ShouldBe("add"),
            () => read[0].Answer.ShouldBe("So \\boxed{2}"),
            () => read[0].StopReason.ShouldBe("stop"));
        (read[1].Answer, read[1].Reasoning, read[1].StopReason, read[1].SampleIndex).ShouldBe((null, "hmm", "length", 1));
    }

    [Fact]
    public void OpenThoughts_is_read_in_both_of_its_configurations()
    {
        var read = Read(OneLine("""
            {"system":"Your role","conversations":[{"from":"user","value":"1+1?"},{"from":"assistant","value":
            "<|begin_of_thought|>\n\nadd\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n\\boxed{2}\n\n<|end_of_solution|>"}]}
            """) + "\n" + OneLine("""
            {"problem":"2+2?","deepseek_reasoning":"add ","deepseek_solution":" 4","ground_truth_solution":"Clearly \\boxed{\\frac{8}{2}}.",
            "domain":"math","source":"aops","test_cases":null,"starter_code":null}
            """));

        (read[0].Problem.System, read[0].Reasoning, read[0].Answer, read[0].Problem.ReferenceAnswer)
            .ShouldBe(("Your role", "add", "\\boxed{2}", ""));
        (read[1].Reasoning, read[1].Answer, read[1].Problem.ReferenceAnswer, read[1].Problem.ReferenceSolution)
            .ShouldBe(("add", "4", "\\frac{8}{2}", "Clearly \\boxed{\\frac{8}{2}}."));
    }

    [Fact]
    public void OpenMathReasoning_numbers_the_solutions_of_a_problem_wherever_they_stand()
    {
        var read = Read(string.Join('\n', ((string[])["p", "q", "p"]).Select(problem => OneLine($$"""
            {"expected_answer":{{(problem == "q" ? "17" : "\"x^2\"")}},"problem_type":"has_answer_extracted","problem_source":"aops_c6",
            "generation_model":"QwQ-32B","pass_rate_72b_tir":"0.5","problem":"{{problem}}","generated_solution":"<think>\na</think>\nb",
            "inference_mode":"cot"}
            """))));

        read.Select(trace => (trace.Problem.Text, trace.SampleIndex, trace.Problem.ReferenceAnswer))
            .ShouldBe([("p", 0, "x^2"), ("q", 0, "17"), ("p", 1, "x^2")]);
        read[0].Problem.Id.ShouldBe(read[2].Problem.Id);
        read[0].Teacher.ShouldBe("QwQ-32B");
    }

    [Fact]
    public void Prompts_may_be_plain_texts_and_thoughts_may_lack_the_opening_mark()
    {
        var read = Read("""{"prompt":"1+1?","completion":"add</think>2"}""" + "\n" + OneLine("""
            {"prompt":[{"role":"system","content":"s"},{"role":"user","content":"q"}],
            "completion":[{"role":"assistant","content":"only an answer"}]}
            """));

        (read[0].Problem.Text, read[0].Reasoning, read[0].Answer).ShouldBe(("1+1?", "add", "2"));
        (read[1].Problem.System, read[1].Reasoning, read[1].Answer).ShouldBe(("s", "", "only an answer"));
    }

    [Fact]
    public void What_the_file_does_not_say_the_options_do()
    {
        string path = folder.File("a.jsonl", Good.Replace("""]}""", """],"source":"rows"}""", StringComparison.Ordinal));

        var trace = TraceImport.Read(path, new TraceImportOptions { Source = "mine", Teacher = "big", Verifier = "exact" }).Single();
        (trace.Problem.Source, trace.Teacher, trace.Problem.Verifier, trace.Problem.Domain).ShouldBe(("mine", "big", "exact", "mine"));
        TraceImport.Read(path).Single().Problem.Source.ShouldBe("rows");
    }

    [Theory]
    [InlineData("""{"messages":"text"}""", "'messages' is a String")]
    [InlineData("""{"messages":[{"role":"user","content":"q"}]}""", "no message of the assistant")]
    [InlineData("""{"messages":[{"role":"user","content":"q"},{"role":"user","content":"q"}]}""", "another turn of 'user'")]
    [InlineData("""{"messages":[{"role":"user","content":"  "},{"role":"assistant","content":"a"}]}""", "the problem is empty")]
    [InlineData("""{"messages":[{"role":"user"},{"role":"assistant","content":"a"}]}""", "'content' is missing")]
    [InlineData("""{"messages":[{"role":"\ud800","content":"q"}]}""", "")]
    [InlineData("""{"prompt":"q"}""", "'messages' is missing")]
    [InlineData("""{"messages":[]""", "")]
    [InlineData("[1]", "")]
    [InlineData("""{"messages":[],"messages":[]}""", "")]
    public void A_bad_row_is_named_and_refused_or_counted(string row, string reason)
    {
        string path = folder.File("bad.jsonl", $"{Good}\n{row}\n\n{Good}\n");

        string message = Should.Throw<InvalidDataException>(() => TraceImport.Read(path).ToList()).Message;
        message.ShouldStartWith($"{path}, line 2: ");
        message.ShouldContain(reason);
        List<BadRow> skipped = [];
        TraceImport.Read(path, null, skipped.Add).Count().ShouldBe(2);
        skipped.Single().Place.ToString().ShouldBe($"{path}, line 2");
    }

    [Fact]
    public void Compressed_lines_are_read_and_cut_ones_refused()
    {
        byte[] plain = Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Repeat(Good, 500)));
        using (var gzip = new GZipStream(File.Create(folder["a.jsonl.gz"]), CompressionMode.Compress)) gzip.Write(plain);
        using (var zstd = new ZstdSharp.CompressionStream(File.Create(folder["a.jsonl.zst"]), leaveOpen: false)) zstd.Write(plain);

        TraceImport.Read(folder["a.jsonl.gz"]).Count().ShouldBe(500);
        TraceImport.Read(folder["a.jsonl.zst"]).Count().ShouldBe(500);
        File.WriteAllBytes(folder["cut.jsonl.zst"], File.ReadAllBytes(folder["a.jsonl.zst"])[..^5]);
        Should.Throw<InvalidDataException>(() => TraceImport.Read(folder["cut.jsonl.zst"]).Count()).Message.ShouldContain("cut.jsonl.zst");
    }

    [Fact]
    public void Files_that_are_none_and_formats_that_are_none_are_named()
    {
        string strange = folder.File("strange.jsonl", """{"a":1,"b":2}""");
        File.WriteAllText(folder["x.parquet"], "no parquet");

        Refusal(strange).ShouldContain("its columns (a, b) are those of no known format");
        Refusal(folder["x.parquet"]).ShouldContain("x.parquet");
        Refusal(folder["absent"]).ShouldContain("no file or folder");
        Refusal(folder.File("a.txt", "x")).ShouldContain(".jsonl");
        Should.Throw<ArgumentException>(() => TraceImport.Read(strange, new TraceImportOptions { Format = "alpaca" }))
            .Message.ShouldContain("openr1");

        static string Refusal(string path) => Should.Throw<InvalidDataException>(() => TraceImport.Read(path).ToList()).Message;
    }

    [Fact]
    public void A_question_has_the_signature_that_it_has_in_a_file_of_problems()
    {
        var problem = Read(Good.Replace("\"q\"", "\" What  is\\r\\nthis? \"", StringComparison.Ordinal)).Single().Problem;

        problem.Signature.ShouldBe(ProblemText.SignatureOf("What is this?"));
        problem.Id.ShouldBe("messages/" + ProblemText.IdOf(problem.Signature));
    }

    [Fact]
    public void A_folder_gives_the_rows_of_all_its_files_but_those_that_describe_it()
    {
        folder.File("set/a.jsonl", Good);
        folder.File("set/b.json", $"[{Good.Replace("\"q\"", "\"other\"", StringComparison.Ordinal)}]");
        folder.File("only/c.json", $"[{Good}]");
        foreach (string name in (string[])["manifest-0001.json", "dataset_info.json", "counts.json", "sources.json", "metadata.json"])
            folder.File($"set/{name}", """{"nothing":"of traces"}""");

        TraceImport.Read(folder["set"]).Select(trace => trace.Problem.Text).ShouldBe(["q", "other"]);
        TraceImport.Read(folder["only"]).ShouldHaveSingleItem();
    }

    /// <summary>Only our own reader looks at the first bytes; it must not decide what others can read.</summary>
    [Fact]
    public void Parquet_that_the_reader_of_our_own_traces_cannot_open_is_read_as_foreign_rows()
    {
        string path = folder["a.parquet"];
        using (var connection = new DuckDBConnection("DataSource=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY (SELECT 'q' AS prompt, 'a' AS completion) TO '{path}' (FORMAT parquet)";
            command.ExecuteNonQuery();
        }

        byte[] bytes = File.ReadAllBytes(path);
        bytes[0] = (byte)'X';
        File.WriteAllBytes(path, bytes);

        TraceColumnSet.TryOf(path).ShouldBeNull();
        TraceImport.Read(path).ShouldHaveSingleItem().Problem.Text.ShouldBe("q");
        Should.Throw<InvalidDataException>(() => TraceImport.Read(path, new TraceImportOptions { Format = "hf" }).ToList());
    }

    private static string OneLine(string text) => text.Replace("\n", "", StringComparison.Ordinal);

    private List<Trace> Read(string lines) => [.. TraceImport.Read(folder.File("rows.jsonl", lines))];
}
