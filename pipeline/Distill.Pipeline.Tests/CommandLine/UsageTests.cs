using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>What a user sees who typed something wrong, or nothing.</summary>
public sealed class UsageTests
{
    [Fact]
    public void Alone_it_shows_what_there_is_and_the_exit_codes()
    {
        var run = CommandLineRun.Of();
        run.Code.ShouldBe(0);
        foreach (string word in (string[])["run RECIPE", "evaluate MODEL", "export CHECKPOINT", "Exit codes",
            "130"]) run.Out.ShouldContain(word);
        run.Error.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("run"), InlineData("plan"), InlineData("resume"), InlineData("generate"), InlineData("pretrain"), InlineData("evaluate")]
    [InlineData("export"), InlineData("verify"), InlineData("chat"), InlineData("tokenize"), InlineData("score"),
        InlineData("serve-model"), InlineData("lineage"), InlineData("init")]
    [InlineData("problems", "show"), InlineData("problems", "check")]
    [InlineData("pull"), InlineData("push"), InlineData("preflight")]
    [InlineData("worker"), InlineData("fleet", "ls"), InlineData("fleet", "retry"), InlineData("fleet", "stop")]
    [InlineData("runs", "ls"), InlineData("runs", "show"), InlineData("runs", "diff"), InlineData("runs", "rm")]
    [InlineData("traces", "show"), InlineData("traces", "query"), InlineData("traces", "export"), InlineData("traces", "import")]
    [InlineData("artefacts", "ls"), InlineData("artefacts", "show"), InlineData("artefacts", "verify"), InlineData("artefacts", "pin"),
        InlineData("artefacts", "gc")]
    public void Every_command_has_help_with_an_example(params string[] command)
    {
        var run = CommandLineRun.Of([.. command, "--help"]);
        run.Code.ShouldBe(0);
        run.Out.ShouldContain("Usage: distill " + string.Join(' ', command));
        run.Out.ShouldContain("Examples:\n  distill " + string.Join(' ', command));
        run.Out.ShouldContain("--json");
    }

    [Theory]
    [InlineData("There is no command 'distill rum'; did you mean 'run'?", "rum")]
    [InlineData("There is no command 'distill runs sow'; did you mean 'show'?", "runs", "sow")]
    [InlineData("There is no option '--sampels' for 'distill evaluate'; did you mean '--samples'?", "evaluate", "m", "--problems", "p",
        "--sampels", "3")]
    [InlineData("There is no option '--problem' for 'distill evaluate'; did you mean '--problems'?", "evaluate", "--problem", "p")]
    [InlineData("--from and --only exclude each other.", "run", "r.yaml", "--from", "sft", "--only", "rl")]
    [InlineData("--samples '-1' does not fit: give a whole number, 0..1,024", "evaluate", "m", "--problems", "p", "--samples", "-1")]
    [InlineData("--temperature 'warm' does not fit: give a number, 0.01..10", "evaluate", "m", "--problems", "p", "--temperature", "warm")]
    [InlineData("--precision 'int5' is not known; did you mean 'int8'?", "export", "m", "--out", "o", "--precision", "int5")]
    [InlineData("MODEL is missing", "evaluate")]
    [InlineData("--problems is missing", "evaluate", "m")]
    [InlineData("--against is missing", "verify", "m")]
    [InlineData("'b' is one argument too many", "chat", "a", "b")]
    [InlineData("--strategy 'refin' is not known; did you mean 'refine'?", "evaluate", "m", "--problems", "p", "--strategy", "refin")]
    [InlineData("did you mean 'arithmetic'?", "evaluate", "m", "--problems", "arithmetik:1")]
    [InlineData("arithmetic has levels 1 to 3, not 9.", "evaluate", "m", "--problems", "arithmetic:9")]
    [InlineData("There is no problem file 'no/such.jsonl'.", "evaluate", "m", "--problems", "no/such.jsonl")]
    [InlineData("There is no folder 'no/such'.", "evaluate", "no/such", "--problems", "arithmetic")]
    [InlineData("There is no folder 'no/such'.", "chat", "no/such")]
    [InlineData("--queues 'tpu' names no queue.", "worker", "--queues", "tpu")]
    [InlineData("--device 'gpu' is no device of a worker.", "worker", "--device", "gpu")]
    [InlineData("There is no run 'never'", "fleet", "stop", "never", "--runs", "no/such")]
    [InlineData("owner and name are both needed", "chat", "hf://gpt2")]
    [InlineData("is a data set, where a model is needed", "evaluate", "hf://datasets/a/b", "--problems", "arithmetic")]
    [InlineData("write hf://datasets/a/b", "pull", "https://huggingface.co/datasets/a/b")]
    [InlineData("can be no branch", "push", ".", "hf://a/b", "--revision", "../x")]
    [InlineData("There is no folder 'no/such'.", "verify", "no/such", "--against", "no/such")]
    public void A_mistake_ends_with_2_and_says_what_to_type(string message, params string[] args)
    {
        var run = CommandLineRun.Of(args);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldStartWith("error: ");
        run.Error.ShouldContain(message);
        run.Error.ShouldNotContain("   at ");
        run.Out.ShouldBeEmpty();
    }

    [Fact]
    public void A_mistake_is_one_object_for_machines()
    {
        var run = CommandLineRun.Of("rum", "--json");
        run.Code.ShouldBe(2);
        run.Error.ShouldBeEmpty();
        run.Json().GetProperty("error").GetProperty("kind").GetString().ShouldBe("usage");
    }

    [Theory]
    [InlineData("distill", new[] { "--json" })]
    [InlineData("distill", new[] { "--help", "--json" })]
    [InlineData("distill runs", new[] { "runs", "--json" })]
    [InlineData("distill evaluate", new[] { "evaluate", "--json", "--help" })]
    [InlineData("distill run", new[] { "help", "run", "--json" })]
    public void Help_is_an_object_for_machines(string command, string[] args)
    {
        var run = CommandLineRun.Of(args);
        run.Code.ShouldBe(0);
        run.Json().GetProperty("command").GetString().ShouldBe(command);
        run.Json().GetProperty("options").EnumerateArray().Select(option => option.GetProperty("name").GetString()).ShouldContain("--json");
    }

    [Fact]
    public void The_version_is_a_line_or_an_object()
    {
        CommandLineRun.Of("--version").Out.ShouldMatch(@"^distill \d+\.\d+\.\d+\S*\n$");
        CommandLineRun.Of("--version", "--json").Json().GetProperty("version").GetString()!.ShouldMatch(@"^\d+\.\d+\.\d+");
    }

    [Fact]
    public void What_is_wrong_with_an_option_of_all_commands_is_said_and_does_not_end_the_program()
    {
        var run = CommandLineRun.Of("run", "r.yaml", "--json=maybe");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("maybe");
    }

    [Theory]
    [InlineData("can be no folder", "plan", "RECIPE", "--runs", "RECIPE")]
    [InlineData("can be no folder", "run", "RECIPE", "--runs", "RECIPE/below")]
    [InlineData("can be no folder", "runs", "ls", "--runs", "")]
    [InlineData("can be no folder", "doctor", "--runs", "RECIPE")]
    [InlineData("is a folder", "run", "FOLDER")]
    [InlineData("is a folder", "pretrain", "FOLDER")]
    [InlineData("nothing can be written there", "evaluate", "MODEL", "--problems", "arithmetic", "--out", "FOLDER/nope/x.json")]
    [InlineData("nothing can be written there", "evaluate", "MODEL", "--problems", "arithmetic", "--out", "FOLDER")]
    [InlineData("nothing can be written there", "export", "BASE", "--out", "RECIPE/below")]
    public void A_place_that_cannot_be_used_is_refused_before_any_work(string message, params string[] args)
    {
        using var folder = SampleRecipe.Folder();
        string recipe = folder.File("r.yaml", SampleRecipe.Text);
        string[] words = [.. args.Select(word => word.Replace("RECIPE", recipe).Replace("FOLDER", folder.Path)
            .Replace("MODEL", Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner"))
            .Replace("BASE", Path.Combine(RepositoryFolder.Root, "student/models/tiny-base")))];
        var run = CommandLineRun.Of(words);
        run.Code.ShouldBe(2, run.Error);
        run.Error.ShouldContain(message);
        run.Error.Split('\n').Length.ShouldBeLessThan(5); // no progress: nothing was begun
        run.Out.ShouldBeEmpty();
    }

    [Fact]
    public void Every_problem_of_a_recipe_is_listed()
    {
        using var folder = SampleRecipe.Folder();
        string recipe = folder.File("r.yaml", SampleRecipe.Text.Replace("samples: 2", "sampels: 2").Replace("0.01", "7"));
        var run = CommandLineRun.Of("run", recipe, "--set", "problems.families.0.name=arithmetik");
        run.Code.ShouldBe(2);
        foreach (string word in (string[])["3 problems", "did you mean 'samples'?", "sft.learning_rate = 7",
            "did you mean 'arithmetic'?"]) run.Error.ShouldContain(word);

        var problems = CommandLineRun.Of("run", recipe, "--json").Json().GetProperty("error").GetProperty("problems");
        problems.EnumerateArray().Select(problem => problem.GetProperty("path").GetString()).ShouldContain("sft.learning_rate");
        problems.GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public void A_recipe_of_the_other_kind_is_sent_to_its_command()
    {
        using var folder = SampleRecipe.Folder();
        var run = CommandLineRun.Of("pretrain", folder.File("r.yaml", SampleRecipe.Text));
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("run it with 'distill run'");
    }

    [Fact]
    public void A_folder_that_is_no_model_is_named_with_what_it_lacks()
    {
        using var folder = new TemporaryFolder();
        var run = CommandLineRun.Of("chat", folder.Path, "--prompt", "hello");
        run.Code.ShouldBe(2);
        run.Error.ShouldContain("is not a model");
        run.Error.ShouldContain("genai_config.json");
    }
}
