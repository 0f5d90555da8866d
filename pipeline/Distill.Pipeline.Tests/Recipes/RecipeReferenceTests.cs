using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Tests.Testing;
using Json.Schema;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>
/// What people and editors read about recipes is what the declarations say: the tables of docs/recipes.md and docs/recipe.schema.json are
/// made
/// anew and equal what is committed. DISTILL_REWRITE=1 writes them instead.
/// </summary>
public sealed class RecipeReferenceTests
{
    private static readonly bool Rewrites = Environment.GetEnvironmentVariable("DISTILL_REWRITE") == "1";

    private static readonly JsonSchema Schema = JsonSchema.FromText(RecipeSchema.Write());

    public static TheoryData<string> Shipped =>
        [.. Directory.GetFiles(Path.Combine(RepositoryFolder.Root, "recipes"), "*.yaml").Select(file =>
            Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void The_schema_is_the_one_that_is_committed() => RequireSame("docs/recipe.schema.json", _ => RecipeSchema.Write());

    [Fact]
    public void The_tables_are_the_ones_that_are_committed() => RequireSame("docs/recipes.md", text => RecipeReference.Fill(text));

    [Fact]
    public void Every_key_stands_in_a_table()
    {
        string text = RecipeReference.Fill(File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/recipes.md")));
        RecipeReference.Keys().Count.ShouldBeGreaterThan(100);
        RecipeReference.Keys().Where(key => !text.Contains($"| `{key.Split('/')[1]}` |", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Shipped))]
    public void A_shipped_recipe_is_valid_but_for_models_still_to_be_made(string name)
    {
        string file = Path.Combine(RepositoryFolder.Root, "recipes", name);
        Validate(File.ReadAllText(file)).ShouldBeEmpty();
        try
        {
            RecipeFile.Load(file).Name.ShouldBe(Path.GetFileNameWithoutExtension(name));
        }
        catch (InvalidRecipeException invalid)
        {
            // A recipe that goes on from another one's result finds it only where that was made.
            foreach (var problem in invalid.Problems)
            {
                // Who runs it says where his data lies.
                if (problem.Fault.Contains("environment variable", StringComparison.Ordinal)) continue;
                problem.Value.ShouldStartWith("../artifacts/");
                problem.Fault.ShouldStartWith("there is no folder");
            }
        }
    }

    [Fact]
    public void A_resolved_recipe_is_valid()
    {
        using var folder = SampleRecipe.Folder();
        Validate(RecipeWriter.ToYaml(SampleRecipe.Parse(folder, SampleRecipe.Text + "\npreference: {}\nlora: {}"),
            folder.Path)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sft: { epochs: 0 }")]
    [InlineData("sft: { epoch: 1 }")]
    [InlineData("sft: { learning_rate: 0 }")]
    [InlineData("rl: { surrogate: cispo }")]
    [InlineData("prompt: { system: [a] }")]
    [InlineData("steps: 3")]
    public void The_schema_refuses_what_the_recipe_refuses(string text)
    {
        using var folder = SampleRecipe.Folder();
        string sample = SampleRecipe.Text.Replace("sft: { learning_rate: 0.01 }", "", StringComparison.Ordinal);
        Validate(sample).ShouldBeEmpty();
        Validate(sample + "\n" + text).ShouldNotBeEmpty();
        SampleRecipe.Problems(folder, sample + "\n" + text).ShouldNotBeEmpty();
    }

    [Fact]
    public void What_must_be_there_may_come_from_the_recipe_that_is_extended()
    {
        Validate("sft: { seed: 2 }").ShouldNotBeEmpty();
        Validate("extends: base.yaml\nsft: { seed: 2 }").ShouldBeEmpty();
    }

    private static void RequireSame(string file, Func<string, string> make)
    {
        string path = Path.Combine(RepositoryFolder.Root, file);
        string committed = File.Exists(path) ? File.ReadAllText(path) : "";
        string made = make(committed);
        if (Rewrites) File.WriteAllText(path, made);
        else made.ShouldBe(committed, $"{file} is made from the declarations: run the tests once with DISTILL_REWRITE=1.");
    }

    private static IEnumerable<string> Validate(string yaml)
    {
        var tree = ToJson(RecipeYaml.Parse(yaml, "recipe.yaml", new RecipeSource("", "/")));
        var results = Schema.Evaluate(tree.Deserialize(), new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (results.IsValid) return [];
        string[] faults = [.. (results.Details ?? []).SelectMany(detail =>
            detail.Errors ?? new Dictionary<string, string>()).Select(fault => fault.Value)];
        return faults.Length == 0 ? ["not valid"] : faults;
    }

    /// <summary>As an editor reads YAML: plain words that are numbers or flags are such.</summary>
    private static JsonNode? ToJson(RecipeNode node) => node switch
    {
        RecipeMapping mapping => new JsonObject(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, ToJson(entry.Value)))),
        RecipeSequence sequence => new JsonArray([.. sequence.Items.Select(ToJson)]),
        { IsNothing: true } => null,
        RecipeScalar { Quoted: false, Text: "true" or "false" } flag => flag.Text == "true",
        RecipeScalar { Quoted: false } scalar when long.TryParse(scalar.Text, CultureInfo.InvariantCulture, out long whole) => whole,
        RecipeScalar { Quoted: false } scalar when double.TryParse(scalar.Text, CultureInfo.InvariantCulture, out double number) => number,
        RecipeScalar scalar => scalar.Text,
        _ => throw new InvalidOperationException(),
    };
}

file static class JsonNodeExtensions
{
    public static System.Text.Json.JsonElement Deserialize(this JsonNode? node) => System.Text.Json.JsonSerializer.SerializeToElement(node);
}
