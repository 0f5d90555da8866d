using Distill.Data.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Tests.Testing;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Network;

namespace Distill.Pipeline.Tests.Recipes;

/// <summary>A teacher at an endpoint, as a recipe describes it.</summary>
public sealed class EndpointSectionTests : IDisposable
{
    private const string Secret = "sk-proj-0123456789";

    private readonly TemporaryFolder folder = SampleRecipe.Folder();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_endpoint_takes_the_place_of_the_model_folder()
    {
        var recipe = SampleRecipe.Parse(folder,
            With("{ endpoint: https://api.example.com/v1/, model: org/thinker, api_key_env: EXAMPLE_KEY, requests_per_minute: 60, "
                + "completion_price: 2.5 }"));
        recipe.Teacher.Name.ShouldBe("org/thinker");
        var endpoint = recipe.Teacher.Remote.ShouldNotBeNull();
        (endpoint.Endpoint, endpoint.ApiKeyEnv, endpoint.Network,
            endpoint.RequestsPerMinute).ShouldBe(("https://api.example.com/v1", "EXAMPLE_KEY", NetworkScope.Public, 60));
        (endpoint.HedgeAfter, endpoint.AttemptTimeout, endpoint.SendSeed, endpoint.Stream).ShouldBe((0, 600, true, true));
        endpoint.ToCalls().FindProblems().ShouldBeEmpty();
        endpoint.ToOptions("org/thinker").FindProblems().ShouldBeEmpty();
    }

    [Fact]
    public void The_resolved_recipe_is_the_recipe_again()
    {
        var recipe = SampleRecipe.Parse(folder,
            With("{ endpoint: 'http://[::1]:8000/v1', network: loopback, model: thinker, hedge_after: 30, instructions: \"Think.\\nEnd "
                + "with \\\"the\\\" number: 7\", token_limit: max_completion_tokens }"));
        string yaml = RecipeWriter.ToYaml(recipe, folder.Path);
        SampleRecipe.Parse(folder, yaml).Teacher.ShouldBe(recipe.Teacher);
        yaml.ShouldNotContain("slots: 0");
        yaml.ShouldNotContain("remote:");
    }

    [Fact]
    public void Every_problem_is_reported_at_once()
    {
        var problems = SampleRecipe.Problems(folder,
            With($"{{ endpoint: 'http://10.0.0.1/v1?key={Secret}', api_key_env: {Secret}, network: lan, concurrency: 0, retries: -1, "
                + $"completion_price: free, slots: 4 }}"));
        problems.Select(problem => problem.Path).ShouldBe(
            ["teacher.endpoint", "teacher.endpoint", "teacher.endpoint", "teacher.api_key_env", "teacher.network", "teacher.concurrency",
                "teacher.retries", "teacher.completion_price", "teacher.slots", "teacher.model"],
            ignoreOrder: true);
        string.Concat(problems).ShouldNotContain(Secret);
    }

    [Theory]
    [InlineData("{ model: teacher, api_key: sk-proj-0123456789 }")]
    [InlineData("{ model: teacher, api_key_env: sk-proj-0123456789 }")]
    [InlineData("{ endpoint: 'https://user:sk-proj-0123456789@api.example.com/v1', model: m }")]
    [InlineData("{ endpoint: 'sk-proj-0123456789@nowhere', model: m }")]
    [InlineData("{ endpoint: https://api.example.com/v1, model: m, api_key: sk-proj-0123456789 }")]
    [InlineData("{ endpoint: https://api.example.com/v1, model: m, authorization: sk-proj-0123456789 }")]
    public void A_key_written_into_a_recipe_is_refused_and_not_repeated(string teacher) =>
        string.Concat(SampleRecipe.Problems(folder, With(teacher))).ShouldNotContain(Secret);

    [Fact]
    public void A_key_of_the_other_kind_of_teacher_says_so() =>
        SampleRecipe.Problems(folder, With("{ model: teacher, requests_per_minute: 5 }"))
            .ShouldHaveSingleItem().Fault.ShouldBe("only a teacher at an endpoint has it");

    [Fact]
    public void No_family_draws_a_longer_problem_than_predictions_assume()
    {
        foreach (var family in ProblemFamilies.All)
        {
            for (int level = 1; level <= 3; level++)
            {
                foreach (var problem in ProblemSet.Generate([new ProblemSetPart(family.Name, level, 1)], 1, Split.Train, 300))
                    TokenUse.PromptAtMost(problem.Text).ShouldBeLessThanOrEqualTo(RemoteTracesStage.LongestProblem, problem.Text);
            }
        }
    }

    private static string With(string teacher) =>
        SampleRecipe.Text.Replace("{ model: teacher, samples: 2 }", teacher, StringComparison.Ordinal);
}
