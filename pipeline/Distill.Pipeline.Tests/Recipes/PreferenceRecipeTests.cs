using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Preference;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>The section <c>preference</c>: absent it changes nothing, present it is complete, wrong it is reported as a whole.</summary>
public sealed class PreferenceRecipeTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Losses => [.. PreferenceLosses.All.Select(kind => kind.Name)];

    [Fact]
    public void A_recipe_without_the_section_resolves_without_it()
    {
        SampleRecipe.Parse(folder).Preference.ShouldBeNull();
        RecipeWriter.ToYaml(SampleRecipe.Parse(folder), folder.Path).ShouldNotContain("preference");
    }

    [Theory, MemberData(nameof(Losses))]
    public void Every_loss_reads_back_equal_and_is_named_in_the_reference(string loss)
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + $"\npreference: {{ loss: {loss} }}");
        recipe.Preference!.Loss.ShouldBe(loss);
        ((DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml",
            folder.Path)).Preference.ShouldBe(recipe.Preference);
        File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/recipes.md")).ShouldContain($"`{loss}`");
    }

    [Fact]
    public void Constants_are_those_of_the_loss()
    {
        SampleRecipe.Parse(folder, SampleRecipe.Text
            + "\npreference: {}").Preference!.ShouldBe(SampleRecipe.Parse(folder, SampleRecipe.Text
                + "\npreference: { loss: sigmoid, beta: 0.1 }").Preference);
        var simpo = SampleRecipe.Parse(folder, SampleRecipe.Text + "\npreference: { loss: simpo }").Preference!;
        (simpo.Beta, simpo.Gamma).ShouldBe((2, 1));
        RecipeWriter.ToYaml(SampleRecipe.Parse(folder, SampleRecipe.Text + "\npreference: { loss: simpo }"),
            folder.Path).ShouldNotContain("desirable_weight");
        SampleRecipe.Parse(folder, SampleRecipe.Text + "\npreference: { loss: exo_pair }").Preference!.LabelSmoothing.ShouldBe(0.001);
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        const string text = """

            preference:
              loss: sigmoidd
              beta: 0
              gamma: 1
              samples: 1
              problems: 100000000
              validation_problems: 900000
              schedule: wave
              pairs: 3
            """;
        var problems = SampleRecipe.Problems(folder, SampleRecipe.Text + text);
        problems.Select(problem => problem.Path).ShouldBe(
            ["preference.loss", "preference.beta", "preference.gamma", "preference.samples", "preference.problems",
                "preference.validation_problems", "preference.schedule", "preference.pairs"],
            ignoreOrder: true);
        problems.Single(problem => problem.Path == "preference.loss").Remedy.ShouldContain("sigmoid");
        problems.Single(problem => problem.Path == "preference.gamma").Remedy.ShouldContain("simpo");
    }
}
