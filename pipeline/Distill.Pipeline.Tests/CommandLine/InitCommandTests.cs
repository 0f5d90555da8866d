using System.Text.Json;

namespace Distill.Pipeline.Tests.CommandLine;

public sealed class InitCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string teacher = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");
    private readonly string student = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("own.jsonl", "columns", "auto")]
    [InlineData("sums.csv", "columns", "math")]
    [InlineData("gsm.jsonl", "gsm8k", "math")]
    [InlineData("letters.jsonl", "multiple_choice", "choice")]
    public void A_file_becomes_a_recipe_that_plan_accepts(string name, string format, string verifier)
    {
        string file = folder.File(name, Rows(name)), recipe = folder["recipe.yaml"];

        var run = CommandLineRun.Of("init", file, "--teacher", teacher, "--student", student, "--out", recipe);

        run.Code.ShouldBe(0, run.Error);
        run.Out.ShouldContain($"read as {format}");
        run.Out.ShouldContain("distill plan");
        string text = File.ReadAllText(recipe);
        text.ShouldContain($"verifier: {verifier}\n");
        text.ShouldContain($"file: {name}\n");
        text.ShouldContain("sequence_length: 512\n");
        var plan = CommandLineRun.Of("plan", recipe, "--runs", folder["runs"]);
        plan.Code.ShouldBe(0, plan.Error);
        plan.Out.ShouldContain("problems/train");
    }

    [Fact]
    public void A_teacher_may_be_an_endpoint()
    {
        string file = folder.File("own.jsonl", Rows("own.jsonl")), recipe = folder["recipe.yaml"];
        var run = CommandLineRun.Of("init", file, "--teacher", "https://api.example.com/v1", "--teacher-model", "big",
            "--api-key-env", "SOME_KEY_NOT_SET",
            "--student", student, "--out", recipe);

        run.Code.ShouldBe(0, run.Error);
        run.Out.ShouldContain("SOME_KEY_NOT_SET");
        File.ReadAllText(recipe).ShouldContain("api_key_env: SOME_KEY_NOT_SET");
        CommandLineRun.Of("plan", recipe, "--runs", folder["runs"]).Code.ShouldBe(0);

        File.Delete(recipe);
        CommandLineRun.Of("init", file, "--teacher", "http://localhost:8000/v1",
            "--teacher-model", "big", "--student", student, "--out", recipe)
            .Code.ShouldBe(0);
        File.ReadAllText(recipe).ShouldContain("network: loopback");
        CommandLineRun.Of("plan", recipe, "--runs", folder["runs"]).Code.ShouldBe(0);
    }

    [Fact]
    public void Nothing_is_asked_of_a_script_and_nothing_is_written_over()
    {
        string file = folder.File("own.jsonl", Rows("own.jsonl")), recipe = folder["recipe.yaml"];
        var unasked = CommandLineRun.Of("init", file, "--out", recipe);
        unasked.Code.ShouldBe(2);
        unasked.Error.ShouldContain("--student");
        File.Exists(recipe).ShouldBeFalse();
        CommandLineRun.Of("init", file, "--student", student, "--teacher", "https://x.example/v1", "--out", recipe)
            .Error.ShouldContain("--teacher-model");

        CommandLineRun.Of("init", file, "--student", student, "--out", recipe).Code.ShouldBe(0);
        File.ReadAllText(recipe).ShouldContain("teacher:\n  model: ");
        CommandLineRun.Of("init", file, "--student", student, "--out", recipe).Error.ShouldContain("is there already");
    }

    [Fact]
    public void What_is_wrong_with_the_file_is_said_and_passed_over()
    {
        string file = folder.File("own.jsonl", Rows("own.jsonl") + "{\"question\":\"no answer\"}\n"), recipe = folder["recipe.yaml"];
        var run = CommandLineRun.Of("init", file, "--teacher", teacher, "--student", student, "--out", recipe, "--json");
        run.Json().GetProperty("bad").GetInt32().ShouldBe(1);
        File.ReadAllText(recipe).ShouldContain("on_bad_row: skip");
    }

    private static string Rows(string name)
    {
        string[] subjects = ["birds", "clouds", "doors", "engines", "flags", "goats", "hills"];
        object Row(int i) => name switch
        {
            "gsm.jsonl" => new { question = $"How many {subjects[i % 7]} are {i * 13}?", answer = $"Count: {i}.\n#### {i}" },
            "letters.jsonl" => new { question = $"Which is {i * 17}?", choices = new[] { $"{i}", subjects[i % 7] }, answer = i % 2 },
            _ => new { question = $"Who saw {i * 19} {subjects[i % 7]}?", answer = i % 2 == 0 ? $"{i}" : "nobody" },
        };
        return name.EndsWith(".csv")
            ? "problem,result,answer\n" + string.Concat(Enumerable.Range(1, 150).Select(i => $"What is {i} + {i * 3}?,x,{i * 4}\n"))
            : string.Concat(Enumerable.Range(0, 150).Select(i => JsonSerializer.Serialize(Row(i)) + "\n"));
    }
}
