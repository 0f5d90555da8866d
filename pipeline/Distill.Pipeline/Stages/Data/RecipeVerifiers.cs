using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;
using Distill.Teacher.Remote.Judging;
using Distill.Verification;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// The verifiers that grade a recipe's problems, for every stage that grades: those that need nothing, and the recipe's judge. Lives for
/// one stage of one run. Preparing is one thread's at a time, the rest is thread-safe. Dispose it.
/// </summary>
internal sealed class RecipeVerifiers : IDisposable
{
    private const string OwnRequests = "requests";

    private readonly StageContext context;
    private readonly JudgeSection? section;
    private readonly ResilientChatClient? client;
    private readonly JudgeVerifier? judge;

    private RecipeVerifiers(StageContext context, JudgeSection? section)
    {
        (this.context, this.section) = (context, section);
        if (section is null)
        {
            All = ProblemVerifiers.Standard;
            return;
        }

        var plain = new CompatibleChatClient(section.ToOptions(section.Model), section.ReadKey(), context.Clock);
        client = new ResilientChatClient(plain, section.ToCalls(), context.Clock);
        string kept = context.SharedRequests ?? Path.Combine(context.Folder, OwnRequests);
        judge = new JudgeVerifier(client, section.ToJudge(), new CompletionStore(kept));
        All = new ProblemVerifiers(judge);
    }

    public ProblemVerifiers All { get; }

    /// <summary>By name: part of the key of every stage that grades. Another judge or rubric is another verifier.</summary>
    public static JsonObject VersionsOf(DistillationRecipe recipe)
    {
        var names = recipe.Problems.VerifierNames().Where(name => name != JudgeVerifier.JudgeName).Distinct().Order(StringComparer.Ordinal);
        var versions = new JsonObject(names
            .Select(name => KeyValuePair.Create(name, (JsonNode?)ProblemVerifiers.Standard.TryGet(name)?.Version)));
        if (recipe.Judge?.ToJudge() is { } judge)
            versions[JudgeVerifier.JudgeName] = new JsonObject
            {
                ["rubric"] = judge.Rubric.Version, ["model"] = judge.Model, ["endpoint"] = judge.Address, ["max_tokens"] = judge.MaxTokens,
            };
        return versions;
    }

    /// <exception cref="InvalidDataException">The judge's API key is not in the environment.</exception>
    public static RecipeVerifiers Open(StageContext context, DistillationRecipe recipe) => new(context, recipe.Judge);

    /// <summary>Has the judge decide many answers at once, so that grading one by one afterwards waits for nothing.</summary>
    /// <param name="answers">Enumerated only where there is a judge.</param>
    /// <param name="most">More are not to be judged, for the progress; 0: none is told.</param>
    public void Prepare(IEnumerable<(Problem Problem, string? Answer)> answers, long most)
    {
        if (judge is null) return;
        // The stage has a thread of its own that nobody else waits for.
        judge.PrepareAsync(
            answers.Where(pair => All.Of(pair.Problem) == judge).Select(pair => (pair.Answer, (IVerifiable)pair.Problem)),
            most == 0 ? null : done => context.Progress(new StageProgress(done, most, "answers judged")), context.Cancellation)
            .GetAwaiter().GetResult();
        Measure();
    }

    public void Dispose()
    {
        Measure();
        client?.Dispose();
    }

    private void Measure()
    {
        if (client?.Usage is not { Requests: > 0 } usage) return;
        context.Measure("judgeRequests", usage.Requests);
        context.Measure("judgeCost", (double)section!.Prices.CostOf(usage));
    }
}
