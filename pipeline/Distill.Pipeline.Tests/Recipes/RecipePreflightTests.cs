using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>What does not fit the models or problems of a recipe is found before any work, all of it at once.</summary>
public sealed class RecipePreflightTests
{
    private static readonly string Quickstart = Path.Combine(RepositoryFolder.Root, "recipes", "quickstart.yaml");

    [Fact]
    public void The_quickstart_passes() => RecipePreflight.Require(RecipeFile.Load<DistillationRecipe>(Quickstart), makesStudent: true);

    [Fact]
    public void Every_fault_is_found_at_once() => Paths(
        "student.layers=99", "student.intermediate=9999", "student.key_value_heads=7", "sft.sequence_length=4096", "sft.batch_tokens=4096",
            "problems.test=20000", "problems.families=[ { name: knights, level: 1 } ]")
        .ShouldBe(["student.layers", "student.intermediate", "student.key_value_heads", "sft.sequence_length",
            "answer_only.sequence_length", "problems.train", "problems.validation", "problems.test"], ignoreOrder: true);

    [Fact]
    public void Training_falls_short_by_the_share_that_a_family_has_there()
    {
        string[] Mixture(string knights) =>
        [
            $"problems.families=[ {{ name: arithmetic }}, {{ name: knights, weight: 0.05{knights} }} ]",
            "problems.train=1000", "problems.train_twins=0", "problems.validation=20", "problems.test=20", "problems.twins=5",
            "rl.validation_problems=20",
        ];

        Require(Mixture(""));
        Paths(Mixture(", train_weight: 9")).ShouldBe(["problems.train"]);
    }

    [Fact]
    public void Another_tokenizer_is_found_where_tokens_must_be_the_same()
    {
        using var folder = new TemporaryFolder();
        string copy = WithTokenizer(folder, tokenizer => tokenizer.Replace("\"<think>\"", "\"<thinking>\"", StringComparison.Ordinal));
        Paths($"student.base={copy}", "teacher.top_log_probabilities=4", "soft_labels.weight=0.5").ShouldBe(["student.base", "soft_labels"],
            ignoreOrder: true);
        Paths($"student.base={copy}", "student.add_tokens=true", "rl.teacher_weight=1", "rl.resample_rounds=null")
            .ShouldBe(["rl.teacher_weight"]);
    }

    [Fact]
    public void A_base_without_thinking_marks_is_told_of_a_remedy_that_works()
    {
        using var folder = new TemporaryFolder();
        string copy = WithTokenizer(folder, tokenizer => tokenizer.Replace("\"<think>\"", "\"<thinking>\"", StringComparison.Ordinal));
        var fault = Should.Throw<InvalidRecipeException>(() => Require($"student.base={copy}")).Problems.ShouldHaveSingleItem();
        fault.Remedy.ShouldContain("student.add_tokens");
        Require($"student.base={copy}", "student.add_tokens=true");
    }

    [Fact]
    public void Where_the_teacher_does_not_mark_its_thinking_the_base_need_not_either()
    {
        using var folder = new TemporaryFolder();
        string copy = WithTokenizer(folder, tokenizer => tokenizer.Replace("\"<think>\"", "\"<thinking>\"", StringComparison.Ordinal));
        Require($"student.base={copy}", $"teacher.model={copy}");
    }

    private static string WithTokenizer(TemporaryFolder folder, Func<string, string> change)
    {
        string source = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
        foreach (string file in Directory.GetFiles(source)) File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        string path = Path.Combine(folder.Path, "tokenizer.json"), before = File.ReadAllText(path), after = change(before);
        after.ShouldNotBe(before);
        File.WriteAllText(path, after);
        return folder.Path;
    }

    private static void Require(params string[] overrides) =>
        RecipePreflight.Require(RecipeFile.Load<DistillationRecipe>(Quickstart, overrides), makesStudent: true);

    private static IReadOnlyList<string> Paths(params string[] overrides) =>
        [.. Should.Throw<InvalidRecipeException>(() => Require(overrides)).Problems.Select(problem => problem.Path)];
}
