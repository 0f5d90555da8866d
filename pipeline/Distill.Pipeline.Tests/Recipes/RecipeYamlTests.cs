using System.Text;
using CsCheck;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>Hostile or broken YAML ends in a named problem, never in a crash or in unbounded work.</summary>
public sealed class RecipeYamlTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    private string Fault(string text) => SampleRecipe.Problems(folder, text)[0].Fault;

    [Fact]
    public void An_alias_bomb_is_refused()
    {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) text.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        Fault(text.ToString()).ShouldContain("once aliases are followed");
    }

    [Fact]
    public void An_alias_of_itself_is_refused() => Fault("a: &a [*a]").ShouldContain("has no anchor");

    [Fact]
    public void Depth_is_bounded() => Fault("a: " + new string('[', 100_000)).ShouldContain("nested deeper");

    [Fact]
    public void Size_is_bounded() => Fault("# " + new string('x', 300_000)).ShouldContain("characters");

    [Fact]
    public void Tags_are_refused() => Fault("name: !!python/object x").ShouldContain("tag");

    [Fact]
    public void A_key_written_twice_is_refused() => Fault("name: a\nname: b").ShouldContain("written twice");

    [Fact]
    public void A_second_document_is_refused() => Fault("name: a\n---\nname: b").ShouldContain("second document");

    [Fact]
    public void A_list_is_not_a_recipe() => Fault("- name: a").ShouldContain("not a section");

    [Fact]
    public void An_empty_file_misses_what_is_required() =>
        SampleRecipe.Problems(folder, "").Select(p =>
            p.Path).ShouldBe(["name", "problems.families", "teacher.model", "student.base"], ignoreOrder: true);

    [Fact]
    public void Anchors_may_be_used() =>
        SampleRecipe.Parse(folder, SampleRecipe.Text.Replace("sft: {", "sft: &t {", StringComparison.Ordinal)
            + "\nanswer_only: *t").AnswerOnly.LearningRate.ShouldBe(0.01);

    [Fact]
    public void Mutations_of_a_recipe_are_read_or_refused() =>
        Gen.Select(Gen.Int[0, SampleRecipe.Text.Length - 1], Gen.Char["{}[]:,&*!|>'\"#%@`-? \n\t\0\u00e9"]).Array[1, 6].Sample(
            edits =>
            {
                var text = new StringBuilder(SampleRecipe.Text);
                foreach (var (at, c) in edits) text[at] = c;
                try
                {
                    SampleRecipe.Parse(folder, text.ToString());
                }
                catch (InvalidRecipeException exception)
                {
                    exception.Problems.ShouldNotBeEmpty();
                }
            },
            iter: 5000);
}
