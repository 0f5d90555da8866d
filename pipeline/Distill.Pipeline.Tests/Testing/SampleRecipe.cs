using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Tests.Testing;

/// <summary>A valid recipe beside model folders that look like models, for tests that never open them.</summary>
internal static class SampleRecipe
{
    public const string Text = """
        name: sample
        seed: 7
        teacher: { model: teacher, samples: 2 }
        problems:
          families:
            - { name: arithmetic, level: 2 }
            - { name: words, weight: 2 }
          train: 40
        student: { base: base }
        sft: { learning_rate: 0.01 }
        """;

    public static TemporaryFolder Folder()
    {
        var folder = new TemporaryFolder();
        folder.File("teacher/genai_config.json", "{}");
        folder.File("teacher/tokenizer.json", "{}");
        folder.File("base/config.json", "{}");
        folder.File("base/tokenizer.json", "{}");
        return folder;
    }

    public static DistillationRecipe Parse(TemporaryFolder folder, string text = Text, params string[] overrides) =>
        (DistillationRecipe)RecipeFile.Parse(text, "sample.yaml", folder.Path, overrides);

    public static IReadOnlyList<RecipeProblem> Problems(TemporaryFolder folder, string text, params string[] overrides) =>
        Should.Throw<InvalidRecipeException>(() => Parse(folder, text, overrides)).Problems;
}
