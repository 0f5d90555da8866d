using Distill.Data.Publishing;
using Distill.Data.Traces;
using Distill.Pipeline.Tests.CommandLine;
using Distill.Storage;
using YamlDotNet.RepresentationModel;

namespace Distill.Pipeline.Tests.Publishing;

/// <summary><c>distill traces</c>: what it finds, writes, reads and refuses.</summary>
public sealed class TraceCommandTests : IDisposable
{
    private readonly SampleTraceStore store = new();

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_run_is_asked_about_its_graded_traces_and_its_problems()
    {
        const string counts = "select verdict, count(*) as n from traces join problems using (problem_id) group by 1 order by 1";
        var run = Run("query", counts, "sample", "--json");

        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("rows").EnumerateArray().Select(row => row.GetRawText()).ShouldBe(
            ["""{"verdict":"correct","n":27}""", """{"verdict":"incorrect","n":27}""", """{"verdict":"undecidable","n":6}"""]);
        Run("query", "select count(*) as n from traces").Out.ShouldBe("n\n──\n60\n");
        Run("query", "select verdict, count(*) from traces group by 1 order by 1", "sample", "--csv").Out
            .ShouldBe("verdict,count_star()\r\ncorrect,27\r\nincorrect,27\r\nundecidable,6\r\n");
        Run("query", "select 1", "sample/traces", "--columns").Out.ShouldContain("problem_id");
        Run("query", "select distinct problem from traces where problem like '%script%'", "sample").Out.ShouldNotContain('\u001b');
    }

    [Fact]
    public void A_question_that_is_none_is_a_usage_error_with_the_columns()
    {
        var run = Run("query", "select verdikt from traces", "sample");

        (run.Code, run.Out).ShouldBe((2, ""));
        run.Error.ShouldContain("verdikt");
        run.Error.ShouldContain("traces: problem_id, problem,");
        Run("query", "copy traces to 'x.csv'", "sample").Code.ShouldBe(2);
    }

    [Fact]
    public void Traces_are_listed_filtered_and_shown_whole_without_obeying_them()
    {
        var list = Run("show", "sample", "--limit", "3");
        list.Out.ShouldContain("arithmetic/1/train/7/000000");
        list.Out.ShouldContain("--limit shows more than 3");
        var whole = Run("show", "sample", "--problem", "arithmetic/1/train/7/000002", "--verdict", "incorrect");
        foreach (string part in (string[])["incorrect by arithmetic v1, left out: wrong", "\nProblem\n", "\nReasoning\n", "\nAnswer\n",
            "\nReference answer\n  12", @"\u202E", @"\u001B[31m", "</script>", "ended    stop"]) whole.Out.ShouldContain(part);
        whole.Out.ShouldNotContain('\u001b');
        whole.Out.ShouldNotContain('\u202e');
        Run("show", "sample", "--min-tokens", "1000").Out.ShouldBe("No trace matches.\n");
        Run("show", "sample", "--reason", "truncated", "--json").Json().GetProperty("traces").GetArrayLength().ShouldBe(6);
        Run("show", "sample/traces", "--verdict", "correct").Code.ShouldBe(2);
        Run("show", "nothing").Code.ShouldBe(2);
    }

    [Fact]
    public void Tokens_are_shown_with_their_log_probabilities()
    {
        string model = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");
        Run("show", "sample", "--problem", "arithmetic/1/train/7/000000", "--verdict", "correct", "--tokenizer", model).Out
            .ShouldContain("(-0.1)");
    }

    [Fact]
    public void A_run_goes_out_as_a_data_set_with_lineage_licences_and_a_header_that_is_YAML()
    {
        var run = Run("export", "sample", "--out", store["out"], "--teacher-licence", "Apache 2.0", "--json");

        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("licence").GetString().ShouldBe("other");
        string card = File.ReadAllText(store["out/README.md"]);
        var header = new YamlStream();
        header.Load(new StringReader(card.Split("---\n")[1]));
        ((YamlMappingNode)header.Documents[0].RootNode)["dataset_info"]["splits"][0]["num_examples"].ToString().ShouldBe("27");
        card.ShouldContain("| source | openai/gsm8k | [mit]");
        card.ShouldContain("| teacher | ");
        foreach (string stage in (string[])["curated", "traces", "problems/train"]) card.ShouldContain($"| {stage} | `");
        TraceFile.ReadGraded(store["out/data/train-00000-of-00001.parquet"]).Count().ShouldBe(27);
        File.Exists(store["out/croissant.json"]).ShouldBeTrue();
        Run("export", "sample", "--out", store["out"]).Code.ShouldBe(1);
        Run("export", "sample", "--out", store["out"], "--replace", "--all").Code.ShouldBe(0);
        TraceFile.ReadGraded(store["out/data/train-00000-of-00001.parquet"]).Count().ShouldBe(60);
    }

    [Theory]
    [InlineData("--forbid", "attribution")]
    [InlineData("--allow", "cc0-1.0")]
    [InlineData("--source-licence", "openai/gsm8k=cc-by-nc-4.0", "--licence", "mit")]
    public void A_conflict_with_the_policy_publishes_nothing_and_ends_with_3(params string[] options)
    {
        var run = Run(["export", "sample", "--out", store["out"], .. options]);

        run.Code.ShouldBe(3, run.Error);
        run.Error.ShouldContain("source 'openai/gsm8k'");
        Directory.Exists(store["out"]).ShouldBeFalse();
    }

    [Fact]
    public void The_recipe_of_the_run_states_licences_and_policy()
    {
        using var strict = new SampleTraceStore(recipe: """
            teacher: { model: gone/elsewhere, licence: openai-terms }
            publish: { licence: mit, forbid: [no-training, non-commercial] }
            """);
        var run = CommandLineRun.Of("traces", "export", "sample", "--out", strict["out"], "--runs", strict.Runs);

        run.Code.ShouldBe(3, run.Error);
        run.Error.ShouldContain("teacher 'elsewhere': openai-terms says no-training, which the policy forbids");
    }

    [Theory]
    [InlineData("messages", "out.jsonl")]
    [InlineData("openr1", "out.parquet")]
    [InlineData("openmathreasoning", "out.jsonl")]
    public void What_is_exported_is_imported_again(string format, string file)
    {
        Run("export", "sample", "--format", format, "--out", store[file]).Code.ShouldBe(0);
        var run = CommandLineRun.Of("traces", "import", store[file], "--out", store["in"], "--json");

        run.Code.ShouldBe(0, run.Error);
        run.Json().GetProperty("traces").GetInt32().ShouldBe(27);
        Artifact.Open(store["in"]).Verify().ShouldBeEmpty();
        TraceSet.Of(store["in"]).Read(false).Select(trace => (trace.Trace.Problem.Text, trace.Trace.Reasoning, trace.Trace.Answer))
            .Order().ShouldBe(store.Traces.Where(trace => trace.Answer == "12")
                .Select(trace => (trace.Problem.Text, trace.Reasoning, trace.Answer)).Order());
        CommandLineRun.Of("traces", "import", store[file], "--out", store["in"]).Code.ShouldBe(2);
    }

    [Fact]
    public void Bad_rows_end_an_import_before_anything_is_written_or_are_skipped_with_their_count()
    {
        File.WriteAllText(store["rows.jsonl"], """
            {"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}
            {"messages":[]}
            """);
        var strict = CommandLineRun.Of("traces", "import", store["rows.jsonl"], "--out", store["in"]);
        (strict.Code, Directory.Exists(store["in"])).ShouldBe((1, false));
        strict.Error.ShouldContain("rows.jsonl, line 2: ");
        var lenient = CommandLineRun.Of("traces", "import", store["rows.jsonl"], "--out", store["in"], "--on-bad-row", "skip");
        lenient.Out.ShouldContain("skipped: ");
        lenient.Out.ShouldContain("1 traces (1 rows skipped)");
    }

    private CommandLineRun Run(params string[] words) => CommandLineRun.Of(["traces", .. words, "--runs", store.Runs]);
}
