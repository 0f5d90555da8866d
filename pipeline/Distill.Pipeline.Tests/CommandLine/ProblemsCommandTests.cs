using Distill.Data.Problems;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.CommandLine;

public sealed class ProblemsCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string file;

    public ProblemsCommandTests() => file = folder.File("own.jsonl", """
        {"question":"What is two and two?","answer":"4"}
        {"question":"What is the capital of France, and why is it there rather than near to the sea, or up in the hills?","answer":"Paris"}
        {"question":"broken"}
        {"question":"what is TWO and two?","answer":"5"}
        """);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Check_says_what_was_read_and_names_what_cannot_be_used()
    {
        var run = CommandLineRun.Of("problems", "check", file);

        run.Code.ShouldBe(3, run.Error);
        foreach (string text in (string[])["own: 4 rows, read as columns", "problems   2", "1 exact, 1 math", "1 bad rows",
            "own.jsonl, line 3: bad row:",
            "own.jsonl, line 4: asked before: the question is that of own.jsonl, line 1,", "question   20 to 99 characters"])
            run.Out.ShouldContain(text);
        run.Out.Split('\n').ShouldAllBe(line => line.Length <= 80);
    }

    [Fact]
    public void Check_gives_machines_the_same()
    {
        var json = CommandLineRun.Of("problems", "check", file, "--json").Json();

        var source = json.GetProperty("sources")[0];
        (source.GetProperty("rows").GetInt32(), source.GetProperty("problems").GetInt32()).ShouldBe((4, 2));
        source.GetProperty("format").GetString().ShouldBe("columns");
        json.GetProperty("dropped").EnumerateArray().Select(row => row.GetProperty("number").GetInt32()).ShouldBe([3, 4]);
        json.GetProperty("lengthUnit").GetString().ShouldBe("characters");
    }

    [Fact]
    public void Check_counts_tokens_and_takes_a_recipe_and_ends_with_0_where_all_is_well()
    {
        folder.File("good.csv", "title,result\nWhat is 2 + 2?,4\nWhat is 3 + 3?,6\n");
        string model = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");
        var run = CommandLineRun.Of(
            "problems", "check", folder["good.csv"], "--question", @"Say:\n{title}", "--answer", "result", "--tokenizer", model);
        run.Code.ShouldBe(0, run.Error + run.Out);
        run.Out.ShouldContain("tokens, half of them");

        CommandLineRun.Of("problems", "check", Path.Combine(RepositoryFolder.Root, "recipes/quickstart.yaml")).Out
            .ShouldContain("Only generated families");
    }

    [Fact]
    public void Show_prints_problems_within_80_columns()
    {
        var run = CommandLineRun.Of("problems", "show", file, "--count", "2");

        run.Code.ShouldBe(0, run.Error);
        run.Out.ShouldContain("What is two and two?");
        run.Out.ShouldContain("Paris");
        run.Out.Split('\n').ShouldAllBe(line => line.Length <= 80);
        var one = CommandLineRun.Of("problems", "show", file, "--count", "1", "--skip", "1", "--json").Json().GetProperty("problems")[0];
        one.GetProperty("answer").GetString().ShouldBe("Paris");
        CommandLineRun.Of("problems", "show", "arithmetic:2", "--count", "2").Out.ShouldContain("arithmetic/2/");
    }

    [Fact]
    public void Show_of_a_recipe_is_what_the_run_asks_with_its_verifier_and_splits()
    {
        folder.File("held.csv", "question,answer\nWhat is 5 + 5?,10\n");
        folder.File("bank.csv", "question,answer\nWhat is 7 + 7?,14\n");
        folder.File("away.csv", "question,answer\nWhat is 9 + 9?,18\n");
        var rows = Shown("verifier: exact, sources: [ { file: own.jsonl, split: train }, { file: held.csv, split: validation }, "
            + "{ family: words, level: 1 } ], test_sources: [ { file: bank.csv } ], decontaminate: [ { file: away.csv } ]");

        string[] own = ["4 exact train", "Paris exact train", "5 exact train"];
        rows[..4].ShouldBe([.. own, "10 exact validation"]);
        rows[4..^1].ShouldAllBe(row => row.EndsWith(" words train", StringComparison.Ordinal));
        rows[^1].ShouldBe("14 exact test");
    }

    [Fact]
    public void Show_of_a_recipe_has_the_shares_of_training()
    {
        string recipe = folder.File("shares.yaml", Recipe(
            "families: [ { name: arithmetic, level: 2 }, { name: words, level: 1, weight: 0.5, train_weight: 3 } ]"));
        var shown = CommandLineRun.Of("problems", "show", recipe, "--count", "8", "--json").Json().GetProperty("problems");
        shown.EnumerateArray().CountBy(problem => problem.GetProperty("source").GetString()!).ShouldBe(
            [new("arithmetic", 2), new("words", 6)], ignoreOrder: true);
    }

    [Fact]
    public void Evaluate_says_before_it_asks_that_a_judge_belongs_to_a_run()
    {
        folder.File("bank.csv", "question,answer\nWhat is 7 + 7?,14\nWhat is 8 + 8?,16\n");
        string recipe = Recipe("on_bad_row: skip, verifier: judge, sources: [ { file: own.jsonl } ], test_sources: [ { file: bank.csv } ]")
            + "\njudge: { endpoint: 'http://127.0.0.1:9/v1', network: loopback, model: judge, api_key_env: NONE }\n";
        var run = CommandLineRun.Of("evaluate", folder["no-model"], "--problems", folder.File("judged.yaml", recipe), "--limit", "2");
        run.Code.ShouldBe(1, run.Error);
        run.Error.ShouldContain("A judge belongs to 'distill run'");
    }

    [Theory]
    [InlineData("There is no file", "problems", "check", "no/such.jsonl")]
    [InlineData("is not known; did you mean 'gsm8k'?", "problems", "check", "FILE", "--format", "gsm8")]
    [InlineData("only a folder or hub data set has configurations", "problems", "check", "FILE", "--config", "main")]
    [InlineData("does nothing here", "problems", "check", "recipes/quickstart.yaml", "--format", "gsm8k")]
    [InlineData("SOURCE is missing", "problems", "show")]
    public void A_mistake_ends_with_2(string message, params string[] args)
    {
        var run = CommandLineRun.Of([.. args.Select(word => word.Replace("FILE", file))]);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(message);
    }

    private static string Recipe(string problems) => SmallRun.Text.Replace(
        "families: [ { name: arithmetic, level: 1 }, { name: words, level: 1 } ]",
        problems.Replace(", verifier", "\n  verifier", StringComparison.Ordinal)
            .Replace(", test_sources", "\n  test_sources", StringComparison.Ordinal)
            .Replace(", decontaminate", "\n  decontaminate", StringComparison.Ordinal)
            .Replace(", sources", "\n  sources", StringComparison.Ordinal), StringComparison.Ordinal);

    private string[] Shown(string problems) =>
    [
        .. CommandLineRun.Of("problems", "show", folder.File("own.yaml", Recipe(problems)), "--count", "60", "--json").Json()
            .GetProperty("problems").EnumerateArray()
            .Select(row => $"{row.GetProperty("answer")} {row.GetProperty("verifier")} {row.GetProperty("split")}"),
    ];

    [Fact]
    public void Evaluate_asks_any_source()
    {
        Problem[] problems = [.. ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 3, Split.Test, 5)];
        string csv = folder.File("ask.csv", "question,answer\n" + string.Concat(problems.Select(problem =>
            $"\"{problem.Text}\",{problem.ReferenceAnswer}\n")));
        string model = TinyCheckpoint.Write(folder["model"]);

        var run = CommandLineRun.Of(
            "evaluate", model, "--problems", csv, "--verifier", "integer", "--max-tokens", "4", "--samples", "0", "--json");

        run.Code.ShouldBe(0, run.Error);
        run.Json().ToString().ShouldContain("5");
    }
}
