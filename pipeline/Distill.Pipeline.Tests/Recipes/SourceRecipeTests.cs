using Distill.Data.Problems;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary><c>problems.sources</c>: what binds, what is refused, and what a cache key is made of.</summary>
public sealed class SourceRecipeTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public SourceRecipeTests() => folder.File("data/train.jsonl", string.Concat(Enumerable.Range(0, 200).Select(i =>
        $$"""{"question":"What is the {{i}}th entry of table {{i * 31}}?","answer":"{{i}}"}""" + "\n")));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_needs_nothing_but_its_path()
    {
        var source = Parse("- { file: data/train.jsonl }").Problems.Sources.ShouldHaveSingleItem();

        source.File.ShouldBe(folder["data/train.jsonl"]);
        source.Name.ShouldBe("train");
        (source.Format, source.Weight).ShouldBe(("auto", null));
    }

    [Fact]
    public void A_family_s_level_is_a_number_and_a_file_s_a_column()
    {
        var sources = Parse("- { family: words, level: 2 }", "- { file: data/train.jsonl, level: stars, name: own }").Problems.Sources;

        (sources[0].FamilyLevel(), sources[0].Name).ShouldBe((2, "words"));
        sources[1].Level.ShouldBe("stars");
    }

    [Theory]
    [InlineData("- { level: 2 }", "an entry that names no problems")]
    [InlineData("- { family: words, file: data/train.jsonl }", "an entry that names several")]
    [InlineData("- { file: data/none.jsonl }", "there is no file")]
    [InlineData("- { file: \"data/*.csv\" }", "no file matches")]
    [InlineData("- { file: data }", "is a folder")]
    [InlineData("- { folder: nowhere }", "there is no folder")]
    [InlineData("- { family: words, level: 9 }", "allowed: 1..3")]
    [InlineData("- { family: words, question: q }", "only file, folder and hub have columns")]
    [InlineData("- { family: words, verifier: math }", "a family has its own verifier")]
    [InlineData("- { file: data/train.jsonl, format: gsm9k }", "did you mean 'gsm8k'?")]
    [InlineData("- { file: data/train.jsonl, verifier: maths }", "did you mean 'math'?")]
    [InlineData("- { file: data/train.jsonl, split: tset }", "write train, validation or test")]
    [InlineData("- { file: data/train.jsonl, config: main }", "only a folder or hub data set has configurations")]
    [InlineData("- { file: data/train.jsonl, question: \"{title\" }", "a brace that names no column")]
    [InlineData("- { file: data/train.jsonl, name: words }", "the name of a generated family")]
    [InlineData("- { file: data/train.jsonl, name: \"a b\" }", "1 to 80 letters")]
    [InlineData("- { hub: gsm8k }", "owner/name")]
    public void What_makes_no_sense_is_refused_with_a_remedy(string source, string fault) =>
        string.Join('\n', Faults(source)).ShouldContain(fault);

    [Fact]
    public void Sources_and_families_exclude_each_other_and_names_are_unique()
    {
        string.Join('\n', SampleRecipe.Problems(folder, Text("- { family: words }") + "  families: [ { name: words } ]\n"))
            .ShouldContain("write the families as entries of problems.sources");
        string.Join('\n', Faults("- { file: data/train.jsonl, name: a }", "- { file: data/train.jsonl, name: a }"))
            .ShouldContain("two sources are called 'a'");
        string.Join('\n', SampleRecipe.Problems(folder, SampleRecipe.Text, "problems.on_bad_row=skip"))
            .ShouldContain("only problems.sources brings problems of others");
    }

    [Fact]
    public void A_resolved_recipe_reads_back_equal()
    {
        var recipe = Parse("- { family: words, level: 2, weight: 1.5 }",
            "- { file: data/train.jsonl, question: \"{question}\\n!\", answer: answer, name: own, licence: mit }");

        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);

        again.Problems.Sources.ShouldBe(recipe.Problems.Sources);
    }

    [Fact]
    public void The_key_holds_what_decides_and_no_path()
    {
        string Key(DistillationRecipe recipe) => ProblemsStage.All(recipe)[0].Declaration.Options.ToJsonString();
        string key = Key(Parse("- { file: data/train.jsonl, name: own, answer: answer }"));

        key.ShouldNotContain(folder.Path);
        key.ShouldContain("\"answer\"");
        Key(Parse("- { file: data/train.jsonl, name: own, answer: answer2 }")).ShouldNotBe(key);
        Key(Parse(["problems.test=7"], "- { file: data/train.jsonl, name: own, answer: answer }")).ShouldBe(key);
        ProblemsStage.All(SampleRecipe.Parse(folder))[0].Declaration.Inputs.ShouldBeEmpty();
    }

    [Fact]
    public void Bad_rows_and_golds_that_cannot_be_read_are_named_before_the_run()
    {
        folder.File("data/bad.jsonl", """
            {"question":"q1","answer":"1"}
            {"question":"q2"}
            {"question":"q3","answer":"forty"}
            """);
        string[] Said(params string[] overrides)
        {
            var recipe = Parse(overrides, "- { file: data/bad.jsonl, verifier: integer }", "- { file: data/train.jsonl, name: own }");
            var fault = Should.Throw<InvalidRecipeException>(() => RecipePreflight.Require(recipe, makesStudent: false));
            return [.. fault.Problems.Where(problem => problem.Path == "problems.sources").Select(problem => problem.ToString())];
        }

        string[] said = Said();
        said.Length.ShouldBe(2);
        said[0].ShouldContain("bad.jsonl, line 2: no answer");
        said[1].ShouldContain("bad.jsonl, line 3: 'forty'");
        said.ShouldAllBe(line => line.Contains("problems.on_bad_row: skip"));
        Said("problems.on_bad_row=skip").ShouldBeEmpty();
    }

    [Fact]
    public void Too_few_problems_for_a_weight_are_refused_before_the_run()
    {
        var recipe = Parse(["problems.train=1000"], "- { file: data/train.jsonl, weight: 1 }");
        var fault = Should.Throw<InvalidRecipeException>(() => RecipePreflight.Require(recipe, makesStudent: false));
        fault.Problems.ShouldContain(problem => problem.Path == "problems.train" && problem.Remedy.Contains("lower its weight"));
    }

    [Fact]
    public void Test_sources_are_asked_in_test_alone_and_nothing_else_is_held_out_for_it()
    {
        folder.File("data/mine.jsonl", """{"question":"A question of my own, is it?","answer":"7"}""");
        var recipe = (DistillationRecipe)RecipeFile.Parse(
            Text("- { file: data/train.jsonl, name: own }") + "  test_sources: [ { file: data/mine.jsonl } ]\n", "r.yaml", folder.Path);
        var problems = RecipeProblems.Of(recipe.Problems);
        var cancellation = TestContext.Current.CancellationToken;

        problems.Take(Split.Test, 400, cancellation).ShouldHaveSingleItem().Source.ShouldBe("mine");
        problems.Take(Split.Train, 400, cancellation).ShouldAllBe(problem => problem.Source == "own" && problem.Split == Split.Train);
        problems.Take(Split.Train, 400, cancellation).ShouldContain(problem => SplitRule.Of(problem.Signature) == Split.Test);
    }

    [Fact]
    public void Nothing_is_held_out_for_a_validation_that_nobody_asks_for()
    {
        var cancellation = TestContext.Current.CancellationToken;
        const string Source = "- { file: data/train.jsonl, name: own }";
        var asked = Parse(["problems.train=400"], Source);
        var unasked = Parse(["problems.train=400", "problems.validation=0", "rl.steps=0"], Source);

        RecipeProblems.Of(asked.Problems).Take(Split.Train, 400, cancellation)
            .ShouldAllBe(problem => SplitRule.Of(problem.Signature) == Split.Train);
        RecipeProblems.Of(unasked.Problems).Take(Split.Train, 400, cancellation)
            .ShouldContain(problem => SplitRule.Of(problem.Signature) == Split.Validation);
        ProblemsStage.All(unasked)[0].Declaration.Options.ToJsonString().ShouldNotBe(
            ProblemsStage.All(asked)[0].Declaration.Options.ToJsonString());
    }

    [Fact]
    public void A_data_set_alone_needs_no_problems_to_test_on()
    {
        var recipe = Parse("- { file: data/train.jsonl, name: own, split: train }");
        IEnumerable<string> Faults(bool makesStudent) =>
            Should.Throw<InvalidRecipeException>(() => RecipePreflight.Require(recipe, makesStudent)) // its models are none
                .Problems.Select(problem => problem.Path);

        Faults(makesStudent: true).ShouldContain("problems.test");
        Faults(makesStudent: false).ShouldNotContain("problems.test");
    }

    private DistillationRecipe Parse(params string[] sources) => Parse([], sources);

    private DistillationRecipe Parse(string[] overrides, params string[] sources) =>
        (DistillationRecipe)RecipeFile.Parse(Text(sources), "r.yaml", folder.Path, overrides);

    private string[] Faults(params string[] sources) =>
        [.. SampleRecipe.Problems(folder, Text(sources)).Select(problem => problem.ToString())];

    private static string Text(params string[] sources) => $$"""
        name: own
        teacher: { model: teacher }
        student: { base: base }
        problems:
          sources:
            {{string.Join("\n    ", sources)}}

        """;
}
