using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>A model that judges answers, as a recipe describes it.</summary>
public sealed class JudgeSectionTests : IDisposable
{
    private const string Judge = "endpoint: 'https://api.example.com/v1', model: grader";

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public JudgeSectionTests() => folder.File("questions.jsonl", """{"question":"Who was it?","answer":"Augustus"}""" + "\n");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_judge_that_is_asked_for_and_not_there_is_missed()
    {
        var problem = SampleRecipe.Problems(folder, Text("")).ShouldHaveSingleItem();
        (problem.Path, problem.Fault).ShouldBe(("judge", "problems ask for a judge, and there is none"));
        SampleRecipe.Parse(folder, Text(Judge)).Judge.ShouldNotBeNull().ToJudge().Model.ShouldBe("grader");
    }

    [Theory]
    [InlineData("model: grader", "judge.endpoint")]
    [InlineData("endpoint: 'https://api.example.com/v1'", "judge.model")]
    [InlineData(Judge + ", rubric: nowhere.txt", "judge.rubric")]
    [InlineData(Judge + ", rubric: empty.txt", "judge.rubric")]
    [InlineData(Judge + ", api_key_env: sk-proj-0123456789", "judge.api_key_env")]
    [InlineData(Judge + ", max_tokens: 1", "judge.max_tokens")]
    public void What_is_wrong_with_a_judge_is_said(string judge, string path)
    {
        folder.File("empty.txt", " \n");
        var problem = SampleRecipe.Problems(folder, Text(judge)).ShouldHaveSingleItem();
        problem.Path.ShouldBe(path);
        problem.ToString().ShouldNotContain("0123456789");
    }

    [Fact]
    public void Another_rubric_or_judge_is_another_verifier_and_patience_is_not()
    {
        folder.File("strict.txt", "Be strict.");
        string Versions(string judge) => RecipeVerifiers.VersionsOf(SampleRecipe.Parse(folder, Text(judge))).ToJsonString();
        string plain = Versions(Judge);
        plain.ShouldContain("grader");
        Versions(Judge + ", rubric: strict.txt").ShouldNotBe(plain);
        Versions("endpoint: 'https://api.example.com/v1', model: other").ShouldNotBe(plain);
        Versions(Judge + ", concurrency: 9, retries: 0, prompt_price: 3").ShouldBe(plain);
    }

    private static string Text(string judge)
    {
        string problems = SampleRecipe.Text[SampleRecipe.Text.IndexOf("problems:", StringComparison.Ordinal)..SampleRecipe.Text.IndexOf(
            "student:", StringComparison.Ordinal)];
        return SampleRecipe.Text.Replace(
            problems, "problems: { sources: [ { file: questions.jsonl } ], verifier: judge, train: 40 }\n", StringComparison.Ordinal)
            + (judge.Length > 0 ? $"\njudge: {{ {judge} }}" : "");
    }
}
