using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>docs/recipes.md is read by people who then write recipes: it must name every key, and the recipes we ship must be valid.</summary>
public sealed class RecipeReferenceTests
{
    [Fact]
    public void The_reference_names_every_key()
    {
        using var folder = SampleRecipe.Folder();
        string text = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs/recipes.md"));
        var distillation = RecipeWriter.ToJson(SampleRecipe.Parse(folder), path => path);
        const string Pretraining = "{ kind: pretrain, name: base, output: out, data: { families: [ { name: words } ] }, training: { steps: 1 } }";
        var pretraining = RecipeWriter.ToJson(RecipeFile.Parse(Pretraining, "p.yaml", folder.Path), path => path);
        const string Endpoint = "{ endpoint: https://api.example.com/v1, model: m, api_key_env: KEY }";
        var remote = RecipeWriter.ToJson(SampleRecipe.Parse(folder, SampleRecipe.Text.Replace("{ model: teacher, samples: 2 }", Endpoint, StringComparison.Ordinal)), path => path);
        var missing = Keys(distillation, "").Concat(Keys(remote, "")).Concat(Keys(pretraining, "")).Where(key => !text.Contains($"`{key}`", StringComparison.Ordinal)).ToList();
        missing.ShouldBeEmpty();
    }

    [Fact]
    public void Every_recipe_of_the_repository_is_valid_but_for_models_still_to_be_made()
    {
        string[] files = Directory.GetFiles(Path.Combine(RepositoryFolder.Root, "recipes"), "*.yaml");
        files.ShouldNotBeEmpty();
        foreach (string file in files) Faults(file).ShouldBeEmpty(file);
    }

    // A recipe that goes on from another one's result finds it only where that was made.
    private static IEnumerable<string> Faults(string file)
    {
        try
        {
            RecipeFile.Load(file).Name.ShouldBe(Path.GetFileNameWithoutExtension(file));
            return [];
        }
        catch (InvalidRecipeException invalid)
        {
            return invalid.Problems.Where(problem => !(problem.Value.StartsWith("../artifacts/", StringComparison.Ordinal) && problem.Fault.StartsWith("there is no folder", StringComparison.Ordinal)))
                .Select(problem => problem.ToString());
        }
    }

    // The keys of answer_only are those of sft, said once.
    private static IEnumerable<string> Keys(JsonObject node, string path)
    {
        foreach (var (key, value) in node)
        {
            string full = path.Length == 0 ? key : $"{path}.{key}";
            if (full == "kind" || (full.StartsWith("answer_only.", StringComparison.Ordinal) && full != "answer_only.enabled")) continue;
            if (value is JsonObject section)
            {
                foreach (string inner in Keys(section, full)) yield return inner;
            }
            else
            {
                yield return full;
            }
        }
    }
}
