using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;

namespace Distill.Pipeline.Stages;

/// <summary>
/// A teacher at an endpoint solves the training problems. Every completion is kept as it comes, so a kill costs those under way and no more;
/// what any run of the folder has asked before is not asked again.
/// </summary>
internal sealed class RemoteTracesStage(DistillationRecipe recipe, EndpointSection endpoint) : IStage
{
    /// <summary>UTF-8 bytes of the longest problem that any family draws; for predictions.</summary>
    public const int LongestProblem = 512;

    private const string OwnRequests = "requests";

    public string Name => StageNames.Traces;

    public string Folder => "2-traces";

    public string Kind => "traces";

    public int Version => 1;

    public IReadOnlyList<string> Inputs => [StageNames.Problems, ExternalInputs.Teacher];

    public JsonObject Options => new()
    {
        ["teacher"] = recipe.Teacher.Name,
        ["endpoint"] = endpoint.Endpoint,
        ["instructions"] = endpoint.Instructions,
        ["samples"] = recipe.Teacher.Samples,
        ["temperature"] = recipe.Teacher.Temperature,
        ["top_p"] = recipe.Teacher.TopP,
        ["max_tokens"] = recipe.Teacher.MaxTokens,
        ["send_seed"] = endpoint.SendSeed,
        ["seed"] = recipe.Seed,
    };

    public string Work
    {
        get
        {
            long requests = (long)recipe.Problems.Train * recipe.Teacher.Samples, completion = requests * recipe.Teacher.MaxTokens;
            long prompt = requests * (LongestProblem + TokenUse.PromptAtMost(endpoint.Instructions));
            decimal cost = endpoint.Prices.CostOf(prompt, completion) * (endpoint.HedgeAfter > 0 ? 2 : 1);
            string price = cost > 0 ? $", cost at most {cost:N2} (failed attempts aside)" : "";
            return $"{recipe.Problems.Train:N0} problems × {recipe.Teacher.Samples} samples = {requests:N0} requests to {new Uri(endpoint.Endpoint).Host}, "
                + $"at most {prompt:N0} prompt and {completion:N0} completion tokens{price}; what was asked before is not asked again";
        }
    }

    public string Run(StageContext context)
    {
        Problem[] problems = [.. ProblemFile.Read(context.Input(StageNames.Problems).PathOf(ProblemsStage.Train))];
        using var client = Client(context.Clock);
        string own = Path.Combine(context.Folder, OwnRequests);
        var collection = new RemoteTraceCollection(client, recipe.Teacher.ToRemoteOptions(endpoint, (ulong)recipe.Seed), new CompletionStore(context.SharedRequests ?? own), context.Clock);
        var files = new TraceFiles(context.Writer);
        // The stage has a thread of its own that nobody else waits for.
        collection.RunAsync(problems, files.TryTake, files.Write, progress => context.Progress(new StageProgress(
            progress.Traces, progress.TotalTraces, "traces", Spent(client.Usage), progress.TokensPerSecond, "tokens/s")), context.Cancellation).GetAwaiter().GetResult();
        if (Directory.Exists(own)) Directory.Delete(own, recursive: true); // all of it is in the parts now
        Report(context, client.Usage);
        files.WriteCard(recipe.Teacher.Name);
        return $"{problems.Length * recipe.Teacher.Samples:N0} traces of {problems.Length:N0} problems, {files.PromptTokens:N0} prompt and {files.CompletionTokens:N0} completion tokens";
    }

    private ResilientChatClient Client(TimeProvider clock)
    {
        var key = endpoint.ApiKeyEnv is { } variable ? ApiKey.FromEnvironment(variable) : null;
        return new ResilientChatClient(new CompatibleChatClient(endpoint.ToOptions(recipe.Teacher.Model), key, clock), endpoint.ToCalls(), clock);
    }

    private string Spent(RemoteUsage usage) => endpoint.Prices.CostOf(usage) is > 0 and var cost ? $"cost {cost:N2}" : "";

    // What this run asked for; what it found already paid is in the artefact's own sums.
    private void Report(StageContext context, RemoteUsage usage)
    {
        context.Measure("teacherRequests", usage.Requests);
        context.Measure("teacherAttempts", usage.Attempts);
        context.Measure("teacherPromptTokens", usage.PromptTokens);
        context.Measure("teacherCompletionTokens", usage.CompletionTokens);
        context.Measure("teacherReasoningTokens", usage.ReasoningTokens);
        context.Measure("teacherCost", (double)endpoint.Prices.CostOf(usage));
        if (usage.Uncounted > 0) context.Warning($"The endpoint did not count the tokens of {usage.Uncounted:N0} answers: sums and cost lack them, and traces hold an estimate.");
    }
}
