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
                foreach (var problem in ProblemSet.GenerateAtMost([new ProblemSetPart(family.Name, level, 1)], 1, Split.Train, 300))
                    TokenUse.PromptAtMost(problem.Text).ShouldBeLessThanOrEqualTo(RemoteTracesStage.LongestProblem, problem.Text);
            }
        }
    }

    [Theory]
    [InlineData("token_ids: true", "teacher.token_ids", "without the model's tokenizer")]
    [InlineData("tokenizer: teacher", "teacher.tokenizer", "no token ids are asked for")]
    [InlineData("top_log_probabilities: 8", "teacher.top_log_probabilities", "no token ids are asked for")]
    [InlineData("batch: openai, token_ids: true, tokenizer: teacher", "teacher.batch", "give no token ids")]
    [InlineData("batch_size: 5", "teacher.batch_size", "nothing is asked in batches")]
    [InlineData("batch: anthropic, send_seed: true", "teacher.send_seed", "knows no seeds")]
    [InlineData("batch: anthropic, temperature: 1.5", "teacher.temperature", "above what anthropic takes")]
    public void What_does_not_go_together_is_said(string options, string path, string fault)
    {
        string text = With($"{{ endpoint: 'https://api.example.com/v1', model: m, {options} }}");
        var problem = SampleRecipe.Problems(folder, text).ShouldHaveSingleItem();
        problem.Path.ShouldBe(path);
        problem.Fault.ShouldContain(fault);
    }

    [Fact]
    public void A_batch_decides_by_no_answer() => SampleRecipe.Problems(
        folder,
        With("{ endpoint: 'https://api.example.com/v1', model: m, samples: 4, batch: openai }") + "\ntraces: { accepted_per_problem: 1 }")
        .ShouldHaveSingleItem().Path.ShouldBe("teacher.batch");

    [Fact]
    public void Batches_cost_half_and_change_no_key()
    {
        const string Endpoint = "endpoint: 'https://api.example.com/v1', model: m, prompt_price: 1, completion_price: 5";
        var single = SampleRecipe.Parse(folder, With($"{{ {Endpoint} }}"));
        var batch = SampleRecipe.Parse(folder, With($"{{ {Endpoint}, batch: openai, batch_size: 100 }}"));
        batch.Teacher.Prices.ShouldBe(new TokenPrices(0.5m, 2.5m));
        batch.Teacher.ToKey(batch).ToJsonString().ShouldBe(single.Teacher.ToKey(single).ToJsonString());
        batch.Teacher.ToBatches().MostRequests.ShouldBe(100);
        SampleRecipe.Parse(folder, With($"{{ {Endpoint}, batch: anthropic }}")).Teacher.SendSeed.ShouldBeFalse();
    }

    [Fact]
    public void Token_ids_of_an_endpoint_make_soft_labels_possible()
    {
        const string Soft = "\nsoft_labels: { weight: 0.5 }";
        const string Endpoint = "endpoint: 'http://127.0.0.1:8000/v1', network: loopback, model: m";
        SampleRecipe.Problems(folder, With($"{{ {Endpoint} }}") + Soft).ShouldHaveSingleItem().Remedy.ShouldContain("teacher.token_ids");
        var recipe = SampleRecipe.Parse(
            folder, With($"{{ {Endpoint}, token_ids: true, tokenizer: teacher, top_log_probabilities: 16 }}") + Soft);
        recipe.Teacher.ToOptions("m").TokenAlternatives.ShouldBe(16);
    }

    private static string With(string teacher) =>
        SampleRecipe.Text.Replace("{ model: teacher, samples: 2 }", teacher, StringComparison.Ordinal);
}
