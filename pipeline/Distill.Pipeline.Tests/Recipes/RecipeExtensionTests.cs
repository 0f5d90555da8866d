using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary><c>extends</c>: key by key, from its own folder, with the place of every fault; and what a part's own seed is.</summary>
public sealed class RecipeExtensionTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public RecipeExtensionTests() => folder.File("base.yaml", SampleRecipe.Text + "\npreference: { beta: 0.2, samples: 4 }\n");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_written_later_goes_before()
    {
        var recipe = Load("sub/next.yaml",
            "name: next\nextends: ../base.yaml\nsft: { seed: 2 }\npreference: { samples: 6 }\nproblems: { families: [ { name: knights } "
                + "] }");
        (recipe.Name, recipe.Seed, recipe.Sft.Seed, recipe.Sft.LearningRate).ShouldBe(("next", 7, 2, 0.01));
        (recipe.Preference!.Beta, recipe.Preference.Samples).ShouldBe((0.2, 6));
        recipe.Problems.Families.ShouldHaveSingleItem().Name.ShouldBe("knights"); // a list is taken as a whole
        recipe.Problems.Train.ShouldBe(40);
        recipe.Teacher.Model.ShouldBe(Path.Combine(folder.Path, "teacher")); // paths stay those of their file
    }

    [Theory]
    [InlineData("preference:")]
    [InlineData("preference: null")]
    public void A_key_without_a_value_is_back_at_its_default(string text) =>
        Load("next.yaml", $"extends: base.yaml\nname: next\n{text}").Preference.ShouldBeNull();

    [Fact]
    public void A_recipe_may_extend_one_that_extends()
    {
        folder.File("middle.yaml", "extends: base.yaml\nname: middle\nsft: { epochs: 9, batch_tokens: 512 }");
        var recipe = Load("next.yaml", "extends: middle.yaml\nname: next\nsft: { epochs: 3 }");
        (recipe.Sft.Epochs, recipe.Sft.BatchTokens, recipe.Sft.LearningRate).ShouldBe((3, 512, 0.01));
        Load("next.yaml", "extends: middle.yaml\nname: next", "sft.epochs=1").Sft.Epochs.ShouldBe(1);
    }

    [Fact]
    public void Faults_name_the_file_and_the_line_they_come_from()
    {
        folder.File("wrong.yaml", SampleRecipe.Text + "\nrl: { steps: many }\n");
        var problems = Problems("next.yaml", "extends: wrong.yaml\nname: next\nsft: { epochs: 0 }");
        problems.Select(problem => (problem.Path, problem.Place)).ShouldBe([("sft.epochs", "line 3"), ("rl.steps", "wrong.yaml line 11")]);
    }

    [Theory]
    [InlineData("extends: next.yaml", "in a circle")]
    [InlineData("extends: nowhere.yaml", "there is no file")]
    [InlineData("extends: teacher", "there is no file")]
    [InlineData("extends: [ base.yaml ]", "not a single value")]
    public void What_cannot_be_extended_is_said(string text, string fault) =>
        Problems("next.yaml", text + "\nname: next").ShouldHaveSingleItem().Fault.ShouldContain(fault);

    [Fact]
    public void A_circle_of_two_and_a_long_chain_are_refused()
    {
        folder.File("a.yaml", "extends: b.yaml");
        folder.File("b.yaml", "extends: a.yaml");
        Problems("next.yaml", "extends: a.yaml").ShouldHaveSingleItem().Fault.ShouldContain("in a circle");
        for (int i = 0; i < 12; i++) folder.File($"chain{i}.yaml", $"extends: chain{i + 1}.yaml");
        folder.File("chain12.yaml", SampleRecipe.Text);
        Problems("next.yaml", "extends: chain0.yaml").ShouldHaveSingleItem().Fault.ShouldContain("more than 8");
    }

    [Fact]
    public void Every_part_has_the_seed_of_the_recipe_unless_it_has_its_own()
    {
        var recipe = Load("next.yaml", "extends: base.yaml\nname: next\nrl: { seed: 3 }\nsft: { seed: 5 }\nanswer_only: { epochs: 1 }");
        (recipe.Rl.Seed, recipe.Sft.Seed, recipe.AnswerOnly.Seed).ShouldBe((3, 5, 5));
        (recipe.Problems.Seed, recipe.Teacher.Seed, recipe.Preference!.Seed, recipe.Evaluation.Seed).ShouldBe((7, 7, 7, 7));
    }

    [Fact]
    public void Threads_of_later_trainings_are_those_of_the_first_unless_they_have_their_own()
    {
        var recipe = Load("next.yaml", "extends: base.yaml\nname: next\nsft: { threads: 3 }\nrl: { threads: 1 }");
        (recipe.Preference!.Threads, recipe.Rl.Threads, recipe.AnswerOnly.Threads).ShouldBe((3, 1, 3));
    }

    private DistillationRecipe Load(string name, string text, params string[] overrides) =>
        RecipeFile.Load<DistillationRecipe>(folder.File(name, text), overrides);

    private IReadOnlyList<RecipeProblem> Problems(string name, string text) =>
        Should.Throw<InvalidRecipeException>(() => Load(name, text)).Problems;
}
