using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>The part of a section in cache keys: what decides a result, and of that only what is not the default.</summary>
public sealed class SectionKeyTests : IDisposable
{
    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    internal sealed record Before : Section
    {
        [Option("times", Minimum = 1, Maximum = 9)]
        public int Times { get; init; } = 2;
    }

    internal sealed record After : Section
    {
        [Option("a new way", Minimum = 0, Maximum = 1)]
        public double Way { get; init; } = 0.5;

        [Option("times", Minimum = 1, Maximum = 9)]
        public int Times { get; init; } = 2;

        [Option("a new part")]
        public Before Part { get; init; } = new();

        [Option("a new part that may be absent")]
        public Before? Other { get; init; }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void A_new_option_with_its_default_makes_no_old_result_stale(int times)
    {
        var recipe = SampleRecipe.Parse(folder);
        string before = CanonicalJson.Digest(new Before { Times = times }.ToKey(recipe));
        CanonicalJson.Digest(new After { Times = times }.ToKey(recipe)).ShouldBe(before);
        CanonicalJson.Digest(new After { Times = times, Way = 0.25 }.ToKey(recipe)).ShouldNotBe(before);
        new After { Other = new Before() }.ToKey(recipe).ToJsonString().ShouldBe("""{"other":{}}""");
    }

    [Fact]
    public void Writing_a_default_out_changes_no_key()
    {
        var brief = SampleRecipe.Parse(folder);
        var whole = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(brief, folder.Path), "recipe.yaml", folder.Path);
        whole.Rl.ToKey(whole).ToJsonString().ShouldBe(brief.Rl.ToKey(brief).ToJsonString());
        brief.Sft.ToKey(brief).ToJsonString().ShouldBe("""{"learning_rate":0.01,"seed":7}""");
    }

    [Fact]
    public void What_changes_speed_or_price_only_is_in_no_key()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text, "teacher.slots=3", "evaluation.slots=5");
        recipe.Teacher.ToKey(recipe).ToJsonString().ShouldBe("""{"samples":2,"seed":7}""");
        recipe.Evaluation.ToKey(recipe).ToJsonString().ShouldBe("""{"seed":7}""");
    }

    [Fact]
    public void What_has_no_effect_is_in_no_key()
    {
        var recipe = SampleRecipe.Parse(folder);
        var changed = recipe.Rl with { WeightCap = 7 };
        changed.ToKey(recipe with { Rl = changed }).ToJsonString().ShouldBe(recipe.Rl.ToKey(recipe).ToJsonString());
    }

    [Fact]
    public void A_stage_may_take_a_part_of_a_section()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + "\npreference: { samples: 4, temperature: 0.8, epochs: 3 }");
        var key = recipe.Preference!.ToKey(recipe, nameof(PreferenceSection.Samples), nameof(PreferenceSection.Temperature),
            nameof(PreferenceSection.Loss));
        key.ToJsonString().ShouldBe("""{"samples":4,"temperature":0.8}""");
        Should.Throw<InvalidOperationException>(() => recipe.Preference.ToKey(recipe, "Sample"));
    }

    [Fact]
    public void Every_key_has_a_meaning_and_numbers_have_a_range()
    {
        RecipeReference.Keys().ShouldContain("distill/rl.alarms.window"); // declares every section on the way
        foreach (var type in (Type[])[typeof(DistillationRecipe), typeof(PretrainRecipe)]) Check(SectionDeclaration.Of(type));
    }

    private static void Check(SectionDeclaration section)
    {
        foreach (var option in section.Options)
        {
            option.Attribute.Meaning.ShouldNotBeEmpty(option.Key);
            option.Attribute.Meaning.ShouldNotEndWith(".", option.Key);
            if (option.Kind == OptionKind.Section) Check(SectionDeclaration.Of(option.ValueType));
            if (option.Kind is OptionKind.Integer or OptionKind.Number && option.Default is { } value and not 0 and not 0L)
                Convert.ToDouble(value).ShouldBeInRange(option.Attribute.Minimum, option.Attribute.Maximum, option.Key);
        }
    }
}
