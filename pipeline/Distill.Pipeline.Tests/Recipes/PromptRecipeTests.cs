using Distill.Pipeline.Recipes;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary><c>prompt</c> and <c>sft.enabled</c>: who is told what, and what is left when nothing is fine-tuned.</summary>
public sealed class PromptRecipeTests : IDisposable
{
    private const string Endpoint = "{ endpoint: https://api.example.com/v1, model: m";

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("", null, null)]
    [InlineData("prompt: { system: Think. }", "Think.", "Think.")]
    [InlineData("prompt: { system: Think., student_system: \"\" }", "Think.", null)]
    [InlineData("prompt: { student_system: Be brief. }", null, "Be brief.")]
    public void Teacher_and_student_are_told(string text, string? teacher, string? student)
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text + "\n" + text);
        (recipe.Prompt.ToTeacherStyle().System, recipe.Prompt.ToStudentStyle().System).ShouldBe((teacher, student));
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "recipe.yaml", folder.Path);
        again.Prompt.ShouldBe(recipe.Prompt);
    }

    [Fact]
    public void Template_options_keep_their_kind()
    {
        var recipe = SampleRecipe.Parse(folder, SampleRecipe.Text
            + "\nprompt: { template_options: { enable_thinking: true, effort: high, budget: 3, share: 0.5, said: \"true\" } }");
        var options = recipe.Prompt.ToStudentStyle().TemplateOptions;
        options.ToDictionary(pair => pair.Key, pair => pair.Value.GetRawText()).ShouldBe(new Dictionary<string, string>
        {
            ["enable_thinking"] = "true", ["effort"] = "\"high\"", ["budget"] = "3", ["share"] = "0.5", ["said"] = "\"true\"",
        });
        var again = (DistillationRecipe)RecipeFile.Parse(RecipeWriter.ToYaml(recipe, folder.Path), "recipe.yaml", folder.Path);
        again.Prompt.ShouldBe(recipe.Prompt);
        recipe.Prompt.ToKey(recipe).ToJsonString().ShouldContain("\"enable_thinking\":true");
        SampleRecipe.Problems(folder, SampleRecipe.Text
            + "\nprompt: { template_options: { a: [1] } }").ShouldHaveSingleItem().Path.ShouldBe("prompt.template_options.a");
    }

    [Fact]
    public void A_remote_teacher_has_one_system_message()
    {
        Remote(Endpoint + " }\nprompt: { system: Think. }").Teacher.Instructions.ShouldBe("Think.");
        var alone = Remote(Endpoint + ", instructions: Think. }");
        (alone.Teacher.Instructions, alone.Prompt.ToStudentStyle().System).ShouldBe(("Think.", null));
        SampleRecipe.Problems(folder,
            Replaced(Endpoint + ", instructions: Other. }\nprompt: { system: Think. "
                + "}")).ShouldHaveSingleItem().Path.ShouldBe("teacher.instructions");
        var recipe = Remote(Endpoint + " }\nprompt: { system: Think. }");
        SampleRecipe.Parse(folder, RecipeWriter.ToYaml(recipe, folder.Path)).Teacher.ShouldBe(recipe.Teacher);
    }

    [Fact]
    public void Without_fine_tuning_there_is_no_second_student_and_something_else_must_train()
    {
        SampleRecipe.Parse(folder, SampleRecipe.Text, "sft.enabled=false").AnswerOnly.Enabled.ShouldBeFalse();
        SampleRecipe.Parse(folder, SampleRecipe.Text, "sft.enabled=false", "answer_only.enabled=true").AnswerOnly.Enabled.ShouldBeTrue();
        SampleRecipe.Parse(folder).AnswerOnly.Enabled.ShouldBeTrue();
        SampleRecipe.Problems(folder, SampleRecipe.Text, "sft.enabled=false",
            "rl.steps=0").ShouldHaveSingleItem().Fault.ShouldContain("nothing trains");
        SampleRecipe.Problems(folder, SampleRecipe.Text, "sft.enabled=false", "student.layers=2", "lora.rank=4").Select(problem =>
            problem.Path)
            .ShouldBe(["student.layers", "lora"], ignoreOrder: true);
        SampleRecipe.Parse(folder, SampleRecipe.Text, "student.add_tokens=true").Student.AddTokens.ShouldBeTrue();
    }

    private DistillationRecipe Remote(string teacher) => SampleRecipe.Parse(folder, Replaced(teacher));

    private static string Replaced(string teacher) =>
        SampleRecipe.Text.Replace("{ model: teacher, samples: 2 }", teacher, StringComparison.Ordinal);
}
