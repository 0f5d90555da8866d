using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Losses, rewards and alarms in a recipe: what is left out stays as it was, what is wrong is said all at once.</summary>
public sealed class LossRecipeTests : IDisposable
{
    private const string Everything = """

        soft_labels: { divergence: jensen_shannon }
        rl:
          ratio: sequence
          ratio_cap: 3
          aggregation: token_limit
          advantage: none
          reference_weight: 0.001
          mask_truncated: false
          resample_rounds: 2
          rewards: { format: 0.1, length: 0.5 }
          alarms: { patience: 4 }
        """;

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_recipe_without_the_keys_resolves_without_them()
    {
        string yaml = RecipeWriter.ToYaml(SampleRecipe.Parse(folder), folder.Path);
        yaml.ShouldNotContain("soft_labels");
        foreach (string key in (string[])["top_log_probabilities", "weight_average", "ratio", "aggregation", "alarms", "rewards", "reference_weight"])
            yaml.ShouldNotContain($" {key}:");
    }

    [Fact]
    public void Every_key_reads_back_equal_and_is_named_in_the_reference()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + Everything, "teacher.top_log_probabilities=16", "sft.weight_average=0.99");
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);
        again.SoftLabels.ShouldBe(recipe.SoftLabels);
        again.Rl.ShouldBe(recipe.Rl);
        again.Teacher.TopLogProbabilities.ShouldBe(16);
        again.AnswerOnly.Training.WeightAverage.ShouldBe(0.99);
        string reference = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/recipes.md"));
        var node = RecipeWriter.ToJson(recipe, path => path);
        foreach (string key in Keys(node["soft_labels"]!, "soft_labels").Concat(Keys(node["rl"]!, "rl")).Concat(["teacher.top_log_probabilities", "sft.weight_average"]))
            reference.ShouldContain($"`{key}`");
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        const string text = """

            soft_labels: { divergence: backward, temperature: 0, mixture: 2 }
            rl:
              ratio: word
              ratio_cap: 0.5
              resample_rounds: -1
              rewards: { format: much, length_margin: 5000 }
              alarms: { action: shout, windoww: 3 }
            """;
        SampleRecipe.Problems(folder, SampleRecipe.Text + text).Select(problem => problem.Path).ShouldBe(
            [
                "soft_labels", "soft_labels.divergence", "soft_labels.temperature", "soft_labels.mixture", "soft_labels.mixture", "rl.ratio", "rl.ratio_cap", "rl.resample_rounds",
                "rl.rewards.format", "rl.rewards.length_margin", "rl.alarms.action", "rl.alarms.windoww",
            ],
            ignoreOrder: true);
    }

    [Theory]
    [InlineData("soft_labels: {}", "soft_labels", "set teacher.top_log_probabilities")]
    [InlineData("soft_labels: { support: teacher_renormalised, divergence: reverse }\nteacher: { model: teacher, top_log_probabilities: 4 }", "soft_labels.support", "choose tail_bucket")]
    [InlineData("rl: { ratio_cap: 1.1 }", "rl.ratio_cap", "raise it")]
    public void What_does_not_go_together_is_refused_with_a_remedy(string text, string path, string remedy)
    {
        string sample = text.Contains("\nteacher:", StringComparison.Ordinal) ? SampleRecipe.Text.Replace("teacher: { model: teacher, samples: 2 }\n", "", StringComparison.Ordinal) : SampleRecipe.Text;
        var problem = SampleRecipe.Problems(folder, sample + "\n" + text).ShouldHaveSingleItem();
        problem.Path.ShouldBe(path);
        problem.Remedy.ShouldContain(remedy);
    }

    private static IEnumerable<string> Keys(JsonNode node, string path) => node.AsObject().SelectMany(pair =>
        pair.Value is JsonObject section ? Keys(section, $"{path}.{pair.Key}") : [$"{path}.{pair.Key}"]);
}
