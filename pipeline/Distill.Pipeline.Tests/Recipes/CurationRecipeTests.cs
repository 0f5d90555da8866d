using Distill.Data.Curation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>The section <c>curation</c>: its defaults are the rules without a number, and a key holds only what was chosen.</summary>
public sealed class CurationRecipeTests : IDisposable
{
    private const string Full = """

        curation:
          max_per_problem: 2
          select: diverse
          min_tokens: 3
          max_tokens: 900
          max_foreign_letters: 0.1
          require_boxed: true
          loop_repeats: 4
          max_repeated_lines: 0.5
          near_duplicates: 0.8
          min_pass_rate: 0.1
          max_pass_rate: 0.9
          contamination_words: 8
          learnability: { min: -3, max: -0.05 }
          mixture: [ { domain: arithmetic, weight: 2 }, { domain: words } ]
          seed: 9
        """;

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Without_a_number_only_the_rules_without_one_apply()
    {
        var section = SampleRecipe.Parse(folder).Curation;
        var options = section.ToOptions();
        var always = new CurationOptions { MaxPerProblem = 4, Seed = options.Seed };
        options.ShouldBe(always with { Rules = options.Rules, Mixture = options.Mixture });
        options.Mixture.ShouldBeEmpty();
        section.ToKey(SampleRecipe.Parse(folder)).ToJsonString().ShouldBe("{}");
    }

    [Fact]
    public void Everything_that_is_chosen_arrives_and_is_in_the_key()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + Full);
        var options = recipe.Curation.ToOptions();
        options.Mixture.ShouldBe(new Dictionary<string, double> { ["arithmetic"] = 2, ["words"] = 1 });
        (options.MinLogProbability, options.MaxLogProbability, options.Seed).ShouldBe((-3, -0.05, 9UL));
        string key = recipe.Curation.ToKey(recipe).ToJsonString();
        foreach (string option in Full.Split('\n').Select(line => line.Trim().Split(':')[0]).Where(name => name is not ("" or "curation")))
            key.ShouldContain($"\"{option}\"");
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "again.yaml", folder.Path);
        again.Curation.ToKey(again).ToJsonString().ShouldBe(key);
    }

    [Fact]
    public void A_data_set_needs_a_student_only_where_one_scores_it()
    {
        string text = SampleRecipe.Text + "\ncuration: { learnability: { min: -3 } }";
        string file = folder.File("scored.yaml", text);
        RecipeFile.Load(file, ["curation.learnability=", "student.base="], makesStudent: false).Name.ShouldNotBeEmpty();
        Should.Throw<InvalidRecipeException>(() => RecipeFile.Load(file, ["student.base="], makesStudent: false))
            .Message.ShouldContain("student.base");
    }

    [Theory]
    [InlineData("min_tokens: 9, max_tokens: 8", "more than the longest completion")]
    [InlineData("min_pass_rate: 0.9, max_pass_rate: 0.1", "more than the greatest pass rate")]
    [InlineData("mixture: [ { domain: a }, { domain: a } ]", "listed twice")]
    [InlineData("mixture: [ { domain: a, weight: 0 } ]", "no domain has a share")]
    [InlineData("learnability: {}", "neither end of the band")]
    [InlineData("learnability: { min: -1, max: -2 }", "not below the greatest")]
    [InlineData("seed: 3", "nothing is drawn")]
    [InlineData("loop_repeats: 1", "2")]
    public void What_contradicts_itself_is_reported(string options, string fault) =>
        Should.Throw<InvalidRecipeException>(() => SampleRecipe.Parse(folder, SampleRecipe.Text + $"\ncuration: {{ {options} }}"))
            .Message.ShouldContain(fault);
}
