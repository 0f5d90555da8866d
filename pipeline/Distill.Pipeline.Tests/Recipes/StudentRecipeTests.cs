using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Adapters;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Held-out looks, adapters and pruning in a recipe: absent they change nothing, wrong they are all reported at once.</summary>
public sealed class StudentRecipeTests : IDisposable
{
    private const string Everything = """

        lora: { rank: 4, alpha: 8, targets: attention, rank_stabilized: true, frozen: int4 }
        """;

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_recipe_without_the_keys_resolves_without_them()
    {
        var recipe = SampleRecipe.Parse(folder);
        string yaml = RecipeWriter.ToYaml(recipe, folder.Path);
        foreach (string key in (string[])["lora", "held_out", "layers", "intermediate",
            "key_value_heads"]) yaml.ShouldNotContain($"{key}:");
    }

    [Theory]
    [InlineData("sft.held_out.measure=loss")]
    [InlineData("sft.held_out.measure=accuracy")]
    public void Every_key_reads_back_equal(string measure)
    {
        var recipe = SampleRecipe.Parse(
            folder, SampleRecipe.Text + Everything, measure, "sft.held_out.every=3", "sft.held_out.patience=2", "sft.held_out.keep=1",
                "student.layers=2", "student.intermediate=64", "student.key_value_heads=1");
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);
        again.Sft.ShouldBe(recipe.Sft);
        again.AnswerOnly.HeldOut.ShouldBe(recipe.Sft.HeldOut);
        again.Lora.ShouldBe(recipe.Lora);
        again.Student.ShouldBe(recipe.Student);
    }

    [Theory]
    [InlineData("float", FrozenForm.Float)]
    [InlineData("int8", FrozenForm.Int8)]
    [InlineData("int4", FrozenForm.Int4)]
    public void Frozen_weights_lie_as_the_recipe_says_and_by_default_leave_the_key_as_it_was(string word, FrozenForm form)
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + "\n\nlora: { rank: 4 }\n", $"lora.frozen={word}");
        recipe.Lora!.ToOptions().Frozen.ShouldBe(form);
        recipe.Lora.ToKey(recipe)!.ToString().Contains("frozen", StringComparison.Ordinal).ShouldBe(form != FrozenForm.Float);
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        const string text = """

            lora: { rank: 0, alpha: -1, targets: everything, dropout: 0.1, frozen: int3 }
            answer_only: { held_out: { measure: accuracy, problems: 100000 } }
            """;
        SampleRecipe.Problems(
            folder, SampleRecipe.Text + text, "sft.held_out.every=0", "sft.held_out.share=0.9", "sft.held_out.problems=5",
                "sft.held_out.patience=x", "student.layers=0", "student.intermediate=none")
            .Select(problem => problem.Path).ShouldBe(
            [
                "lora.rank", "lora.alpha", "lora.targets", "lora.dropout", "lora.frozen",
                    "answer_only.held_out.problems", "sft.held_out.every",
                    "sft.held_out.share", "sft.held_out.problems",
                "sft.held_out.patience", "student.layers", "student.intermediate",
            ],
            ignoreOrder: true);
    }
}
