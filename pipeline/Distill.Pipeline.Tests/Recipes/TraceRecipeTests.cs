using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary><c>traces</c>, examples of <c>prompt</c>, and a teacher that may be left out.</summary>
public sealed class TraceRecipeTests : IDisposable
{
    private const string Given = "traces: { from: given }\n", Endpoint = "{ endpoint: https://api.example.com/v1, model: m, samples: 4";

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Examples_stand_in_the_recipe_or_in_a_file_and_read_back()
    {
        const string InPlace = "\nprompt: { examples: [ { question: \"2 + 2?\", answer: \"4\" }, { question: a, answer: \"b\\nc\" } ] }";
        folder.File("few.jsonl", """
            {"question": "2 + 2?", "answer": "4"}

            {"question": "a", "answer": "b\nc"}
            """);
        var inPlace = SampleRecipe.Parse(folder, SampleRecipe.Text + InPlace);
        var inFile = SampleRecipe.Parse(folder, SampleRecipe.Text + "\nprompt: { examples: few.jsonl }");
        inFile.Prompt.ShouldBe(inPlace.Prompt);
        inFile.Prompt.ToTeacherStyle().Examples.Select(turn => (turn.Role, turn.Content))
            .ShouldBe([("user", "2 + 2?"), ("assistant", "4"), ("user", "a"), ("assistant", "b\nc")]);
        inFile.Prompt.ToStudentStyle().Examples.ShouldBeEmpty();
        SampleRecipe.Parse(folder, RecipeWriter.ToYaml(inFile, folder.Path)).Prompt.ShouldBe(inFile.Prompt);
        SampleRecipe.Parse(folder, SampleRecipe.Text, "prompt.student_examples=few.jsonl").Prompt.ToStudentStyle().Examples.Count
            .ShouldBe(4);
    }

    [Theory]
    [InlineData("examples: none.jsonl", "prompt.examples", "there is no file")]
    [InlineData("examples: bad.jsonl", "prompt.examples", "not JSON")]
    [InlineData("examples: list.jsonl", "prompt.examples", "not a JSON object")]
    [InlineData("examples: deep.jsonl", "prompt.examples", "no single value")]
    [InlineData("examples: other.jsonl", "prompt.examples[0].reply", "unknown key")]
    [InlineData("examples: [ { question: a } ]", "prompt.examples[0].answer", "missing")]
    [InlineData("examples: [ { question: \"\", answer: b } ]", "prompt.examples[0].question", "empty")]
    public void Examples_that_are_none_are_named(string prompt, string path, string fault)
    {
        folder.File("bad.jsonl", "{\"question\": \"a\", \"answer\": \"b\"}\n{\"question\"");
        folder.File("list.jsonl", "[1]");
        folder.File("deep.jsonl", "{\"question\": {}, \"answer\": \"b\"}");
        folder.File("other.jsonl", "{\"question\": \"a\", \"answer\": \"b\", \"reply\": \"b\"}");
        var problem = SampleRecipe.Problems(folder, SampleRecipe.Text + $"\nprompt: {{ {prompt} }}").ShouldHaveSingleItem();
        problem.Path.ShouldBe(path);
        problem.Fault.ShouldContain(fault);
        if (prompt.Contains("bad", StringComparison.Ordinal)) problem.Place.ShouldBe("bad.jsonl line 2");
    }

    [Fact]
    public void Examples_are_in_the_keys_of_those_who_see_them()
    {
        string plain = Key(), told = Key("prompt.examples=[ { question: a, answer: b } ]");
        told.ShouldNotBe(plain);
        told.ShouldContain("[\"a\",\"b\"]");
        Key("prompt.student_examples=[ { question: a, answer: b } ]").ShouldBe(plain);
        string Key(params string[] overrides) =>
            new TracesStage(TeacherRole.Of(SampleRecipe.Parse(folder, SampleRecipe.Text, overrides))[0]).Declaration.Options.ToJsonString();
    }

    [Fact]
    public void With_given_traces_no_teacher_is_needed()
    {
        folder.File("given/a.parquet", "");
        string alone = Given + SampleRecipe.Text.Replace("teacher: { model: teacher, samples: 2 }\n", "", StringComparison.Ordinal);
        var recipe = SampleRecipe.Parse(folder, alone);
        (recipe.Teacher.IsThere, recipe.Teacher.IsLocal, recipe.TraceOrigin).ShouldBe((false, false, "given"));
        var graph = StageGraph.For(recipe);
        graph.Stages.ShouldNotContain(stage => stage.Declaration.Inputs.Contains(ExternalInputs.Teacher));
        graph.Stages.Single(stage => stage.Declaration.Name == "traces").ShouldBeOfType<GivenTracesStage>();
        SampleRecipe.Parse(folder, RecipeWriter.ToYaml(recipe, folder.Path)).Traces.ShouldBe(recipe.Traces);
        SampleRecipe.Parse(folder, alone, "soft_labels.weight=0.5").SoftLabels.ShouldNotBeNull();
        SampleRecipe.Parse(folder, alone, "teacher.model=teacher", "rl.teacher_weight=0.5").Teacher.IsLocal.ShouldBeTrue();
        SampleRecipe.Problems(folder, alone, "rl.teacher_weight=0.5").ShouldHaveSingleItem().Path.ShouldBe("rl.teacher_weight");
        SampleRecipe.Problems(folder, alone, "teacher.samples=4", "traces.max_time=3").Select(problem => problem.Path)
            .ShouldBe(["teacher.samples", "traces.max_time"], ignoreOrder: true);
        SampleRecipe.Problems(folder, alone.Replace(Given, "", StringComparison.Ordinal)).ShouldHaveSingleItem().ToString()
            .ShouldBe("teacher.model: missing; write the path of a folder");
        SampleRecipe.Problems(folder, alone.Replace("given", "nowhere", StringComparison.Ordinal)).ShouldHaveSingleItem().Path
            .ShouldBe("traces.from");
    }

    [Theory]
    [InlineData("accepted_per_problem: 3", "traces.accepted_per_problem")]
    [InlineData("give_up_after: 3", "traces.give_up_after")]
    [InlineData("balance: true", "traces.balance")]
    [InlineData("max_tokens_total: 100", "traces.max_tokens_total")]
    [InlineData("max_cost: 1", "traces.max_cost")]
    [InlineData("preflight: { max_cost: 1 }", "traces.preflight.max_cost")]
    public void What_can_have_no_effect_is_refused(string traces, string path) =>
        SampleRecipe.Problems(folder, SampleRecipe.Text + $"\ntraces: {{ {traces} }}").ShouldHaveSingleItem().Path.ShouldBe(path);

    [Fact]
    public void What_decides_which_traces_there_are_is_in_the_key_and_the_rest_is_not()
    {
        string plain = Key();
        Key("traces.preflight.problems=16").ShouldBe(plain);
        string[] decide =
        [
            "traces.accepted_per_problem=1", "traces.give_up_after=2", "traces.max_tokens_total=1000000", "traces.max_time=0.5",
        ];
        decide.Select(option => Key(option)).Append(plain).Distinct().Count().ShouldBe(decide.Length + 1);
        Key("traces.accepted_per_problem=1").ShouldContain("\"verifiers\"");
        Key("traces.max_time=0.5").ShouldNotContain("\"verifiers\"");
        string Key(params string[] overrides) =>
            new TracesStage(TeacherRole.Of(SampleRecipe.Parse(folder, SampleRecipe.Text, overrides))[0]).Declaration.Options.ToJsonString();
    }

    [Fact]
    public void A_preflight_stands_before_the_traces_wherever_they_are_made()
    {
        var graph = StageGraph.For(SampleRecipe.Parse(folder, SampleRecipe.Text, "traces.preflight.problems=16"));
        Needed(new() { Until = "curated" }).ShouldBe(["problems/train", "preflight", "traces", "curated"]);
        Needed(new() { Only = "traces" }).ShouldBe(["problems/train", "traces"]);
        Needed(new() { Only = "preflight" }).ShouldBe(["problems/train", "preflight"]);
        Needed(new()).Take(6).ShouldBe(
            ["problems/train", "problems/validation", "problems/test", "problems/twins", "preflight", "traces"]);
        string[] Needed(Distill.Pipeline.Runs.RunOptions options) =>
            [.. new StageSelection(options, graph).Needed.Select(stage => stage.Declaration.Name)];
    }

    [Fact]
    public void An_endpoint_has_prices_to_budget_by()
    {
        string text = SampleRecipe.Text.Replace("{ model: teacher, samples: 2 }", Endpoint + ", prompt_price: 1, completion_price: 4 }",
            StringComparison.Ordinal);
        SampleRecipe.Parse(folder, text, "traces.max_cost=2", "traces.preflight.max_cost=2").Traces.MaxCost.ShouldBe(2);
    }
}
