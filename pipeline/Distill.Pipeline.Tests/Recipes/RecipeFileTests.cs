using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

public sealed class RecipeFileTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_left_out_takes_its_default()
    {
        var recipe = SampleRecipe.Parse(folder);
        recipe.Name.ShouldBe("sample");
        recipe.Seed.ShouldBe(7);
        recipe.Teacher.Samples.ShouldBe(2);
        recipe.Teacher.Temperature.ShouldBe(0.7);
        recipe.Problems.Families.Select(f => (f.Name, f.Level, f.Weight)).ShouldBe([("arithmetic", 2, 1), ("words", 1, 2)]);
        recipe.Rl.ShouldBe(SampleRecipe.Parse(folder, SampleRecipe.Text + "\nrl: {}").Rl);
    }

    [Fact]
    public void The_answer_only_student_inherits_what_it_does_not_set()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + "\nanswer_only: { epochs: 9 }");
        recipe.AnswerOnly.ShouldBe(recipe.Sft with { Epochs = 9 });
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        const string text = """
            name: Bad Name
            sead: 7
            teacher: { model: nowhere, temperature: hot, samples: 0 }
            problems:
              families:
                - { name: arithmatic }
                - { name: words, level: 99 }
              test: 10
              twins: 11
            student: base
            sft: { learning_rate: 5, epoch: 3, batch_tokens: 32, schedule: cosin }
            """;
        var problems = SampleRecipe.Problems(folder, text);
        problems.Select(p => p.Path).ShouldBe(
            [
                "name", "sead", "teacher.model", "teacher.temperature", "teacher.samples", "problems.families[0].name",
                "problems.families[1].level", "problems.twins", "student", "sft.learning_rate", "sft.epoch",
                "sft.schedule", "sft.batch_tokens",
            ],
            ignoreOrder: true);
        problems.Select(p => p.Place.Length > 0 ? int.Parse(p.Place[5..]) : int.MaxValue).ShouldBeInOrder();
    }

    [Fact]
    public void A_problem_says_where_what_and_how_to_mend_it()
    {
        var problem = SampleRecipe.Problems(folder,
            SampleRecipe.Text.Replace("0.01", "5", StringComparison.Ordinal)).ShouldHaveSingleItem();
        problem.ToString().ShouldBe("line 10: sft.learning_rate = 5: out of range; allowed: more than 0, at most 1");
    }

    [Theory]
    [InlineData("sft.epoch=3", "did you mean 'epochs'?")]
    [InlineData("sft.lerning_rate=0.1", "did you mean 'learning_rate'?")]
    [InlineData("sft.schedule=cosin", "did you mean 'cosine'?")]
    [InlineData("problems.families.0.name=arithmetics", "did you mean 'arithmetic'?")]
    public void A_mistyped_word_gets_a_suggestion(string set, string remedy) =>
        SampleRecipe.Problems(folder, SampleRecipe.Text, set).ShouldHaveSingleItem().Remedy.ShouldBe(remedy);

    [Fact]
    public void A_missing_file_is_named()
    {
        File.Delete(Path.Combine(folder.Path, "teacher", "genai_config.json"));
        SampleRecipe.Problems(folder, SampleRecipe.Text).ShouldHaveSingleItem().Fault.ShouldContain("has no genai_config.json");
    }

    [Fact]
    public void A_path_may_begin_with_an_environment_variable()
    {
        // A name of this test alone: others run beside it.
        const string Name = "DISTILL_TEST_MODELS_OF_A_PATH";
        string text = SampleRecipe.Text.Replace("model: teacher", $"model: \"${{{Name}}}/teacher\"", StringComparison.Ordinal);
        var fault = SampleRecipe.Problems(folder, text).ShouldHaveSingleItem();
        fault.Fault.ShouldBe($"the environment variable {Name} is not set");
        Environment.SetEnvironmentVariable(Name, folder.Path);
        try
        {
            SampleRecipe.Parse(folder, text).Teacher.Model.ShouldBe(Path.Combine(folder.Path, "teacher"));
        }
        finally
        {
            Environment.SetEnvironmentVariable(Name, null);
        }
    }

    [Theory]
    [InlineData("sft.epochs=2", 2)]
    [InlineData("sft.epochs=3.0", 3)]
    public void An_override_wins(string set, int epochs) =>
        SampleRecipe.Parse(folder, SampleRecipe.Text, set).Sft.Epochs.ShouldBe(epochs);

    [Fact]
    public void An_empty_override_restores_the_default() =>
        SampleRecipe.Parse(folder, SampleRecipe.Text, "sft.learning_rate=").Sft.LearningRate.ShouldBe(new TrainingSection().LearningRate);

    [Theory]
    [InlineData("sft.epochs")]
    [InlineData("=3")]
    [InlineData("problems.families.7.level=1")]
    [InlineData("name.first=x")]
    [InlineData("sft.epochs=[")]
    public void An_override_that_fits_nowhere_is_a_problem(string set) =>
        SampleRecipe.Problems(folder, SampleRecipe.Text, set).Count.ShouldBe(1);

    [Theory]
    [InlineData("1e3", 1000)]
    [InlineData("1_000", 1000)]
    [InlineData("12.0", 12)]
    public void Whole_numbers_may_be_written_in_any_way(string written, int value) =>
        SampleRecipe.Parse(folder, SampleRecipe.Text, $"problems.train={written}").Problems.Train.ShouldBe(value);

    [Theory]
    [InlineData("1.5")]
    [InlineData("'3'")]
    [InlineData("NaN")]
    [InlineData("99999999999999999999")]
    [InlineData("[1]")]
    public void What_is_not_a_whole_number_is_refused(string written) =>
        SampleRecipe.Problems(folder, SampleRecipe.Text,
            $"problems.train={written}").ShouldHaveSingleItem().Path.ShouldBe("problems.train");

    [Fact]
    public void The_resolved_recipe_reads_back_equal()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text, "sft.weight_decay=1e-5", "answer_only.enabled=false",
            "seed=9223372036854775807");
        string inside = Path.Combine(folder.Path, "runs", "sample");
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, inside), "recipe.yaml", inside);
        RecipeWriter.ToYaml(again, inside).ShouldBe(RecipeWriter.ToYaml(recipe, inside));
        (again with { Problems = recipe.Problems }).ShouldBe(recipe);
        again.Problems.Families.ShouldBe(recipe.Problems.Families);
    }

    [Fact]
    public void A_pretraining_recipe_reads_back_equal()
    {
        const string text = """
            { kind: pretrain, name: base, output: out, architecture: {}, tokenizer: { vocabulary_size: 300 },
              data: { families: [ { name: words } ], solutions: false }, training: { steps: 100 } }
            """;
        var recipe = (PretrainRecipe)RecipeFile.Parse(text, "p.yaml", folder.Path);
        recipe.Training.Steps.ShouldBe(100);
        recipe.Data.Facts.ShouldBe(0.5);
        string yaml = RecipeWriter.ToYaml(recipe, folder.Path);
        RecipeWriter.ToYaml(RecipeFile.Parse(yaml, "p.yaml", folder.Path), folder.Path).ShouldBe(yaml);
    }

    [Fact]
    public void A_share_in_training_is_no_option_where_everything_is_trained_on() => Should.Throw<InvalidRecipeException>(() =>
        RecipeFile.Parse("""
            { kind: pretrain, name: base, output: out, architecture: {}, tokenizer: { vocabulary_size: 300 },
              data: { families: [ { name: words, train_weight: 2 } ], solutions: false }, training: { steps: 100 } }
            """, "p.yaml", folder.Path)).Message.ShouldContain("train_weight");

    [Fact]
    public void Another_kind_of_recipe_names_its_command()
    {
        string file = folder.File("sample.yaml", SampleRecipe.Text);
        Should.Throw<InvalidRecipeException>(() => RecipeFile.Load<PretrainRecipe>(file)).Message.ShouldContain("'distill run'");
    }
}
