using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// A teacher at an endpoint solves the training problems. Every completion is kept as it comes, so a kill costs those under way and no
/// more; what any run of the folder has asked before is not asked again.
/// </summary>
internal sealed class RemoteTracesStage(DistillationRecipe recipe, RemoteTeacherSection endpoint) : IDividedStage
{
    /// <summary>UTF-8 bytes of the longest problem that any family draws; for predictions.</summary>
    public const int LongestProblem = 512;

    public StageDeclaration Declaration { get; } = new()
    {
        Name = TracesStage.StageName,
        Folder = TracesStage.FolderName,
        Kind = "traces",
        Version = 2,
        Inputs = [ProblemsStage.Train, ExternalInputs.Teacher],
        Options = StageDeclaration.OptionsOf(("name", recipe.Teacher.Name), ("teacher", recipe.Teacher.ToKey(recipe))),
    };

    public string Work
    {
        get
        {
            long requests = (long)recipe.Problems.Train * recipe.Teacher.Samples, completion = requests * recipe.Teacher.MaxTokens;
            long prompt = requests * (LongestProblem + TokenUse.PromptAtMost(endpoint.Instructions));
            decimal cost = endpoint.Prices.CostOf(prompt, completion) * (endpoint.HedgeAfter > 0 ? 2 : 1);
            string price = cost > 0 ? $", cost at most {cost:N2} (failed attempts aside)" : "";
            return $"{recipe.Problems.Train:N0} problems × {recipe.Teacher.Samples} samples = "
                + $"{requests:N0} requests to {new Uri(endpoint.Endpoint).Host}, "
                + $"at most {prompt:N0} prompt and {completion:N0} completion tokens{price}; what was asked before is not asked again";
        }
    }

    public IStageWork Begin(StageContext context) => new RemoteWork(context, recipe, endpoint);

    /// <summary>The endpoint is asked for all open parts at once: one slow answer must not hold up the next part.</summary>
    private sealed class RemoteWork : IStageWork
    {
        private const string OwnRequests = "requests";

        private readonly StageContext context;
        private readonly DistillationRecipe recipe;
        private readonly RemoteTeacherSection endpoint;
        private readonly Problem[] problems;
        private readonly RemoteTraceOptions options;
        private readonly TraceFiles files;
        private readonly string own;
        private RemoteTeacherConnection? teacher;

        public RemoteWork(StageContext context, DistillationRecipe recipe, RemoteTeacherSection endpoint)
        {
            (this.context, this.recipe, this.endpoint) = (context, recipe, endpoint);
            problems = ProblemsStage.Read(context, ProblemsStage.Train);
            options = recipe.Teacher.ToRemoteOptions(endpoint);
            files = new TraceFiles(context);
            own = Path.Combine(context.Folder, OwnRequests);
        }

        public int Units => (problems.Length + options.ProblemsPerPart - 1) / options.ProblemsPerPart;

        public bool IsDone(int unit) => files.TryTake(unit);

        public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
        {
            teacher ??= new RemoteTeacherConnection(context, endpoint, options, context.SharedRequests ?? own);
            var asked = units.ToHashSet();
            teacher.FetchAsync(problems.Where((_, index) => asked.Contains(index / options.ProblemsPerPart)), cancellation).GetAwaiter().GetResult();
            var collection = teacher.ToCollection();
            // The stage has a thread of its own that nobody else waits for.
            collection.RunAsync(problems, part => !asked.Contains(part), files.Write, progress => context.Progress(new StageProgress(
                progress.Traces, progress.TotalTraces, "traces", Spent(teacher.Usage), progress.TokensPerSecond, "tokens/s")), cancellation)
                .GetAwaiter().GetResult();
            if (collection.Rejected is { Count: > 0 and var dropped, FirstReason: var reason })
                context.Warning($"{dropped:N0} of {problems.Length:N0} problems were refused and have no answers, the first because: {reason}");
        }

        public string Finish()
        {
            if (teacher is not null) Report(teacher.Usage);
            files.WriteCard(recipe.Teacher.Name);
            return $"{problems.Length * recipe.Teacher.Samples:N0} traces of {problems.Length:N0} problems, "
                + $"{files.PromptTokens:N0} prompt and {files.CompletionTokens:N0} completion tokens";
        }

        public void Dispose() => teacher?.Dispose();

        private string Spent(RemoteUsage usage) => endpoint.Prices.CostOf(usage) is > 0 and var cost ? $"cost {cost:N2}" : "";

        // What this run asked for; what it found already paid is in the artefact's own sums.
        private void Report(RemoteUsage usage)
        {
            context.Measure("teacherRequests", usage.Requests);
            context.Measure("teacherAttempts", usage.Attempts);
            context.Measure("teacherPromptTokens", usage.PromptTokens);
            context.Measure("teacherCompletionTokens", usage.CompletionTokens);
            context.Measure("teacherReasoningTokens", usage.ReasoningTokens);
            context.Measure("teacherCost", (double)endpoint.Prices.CostOf(usage));
            if (usage.Uncounted > 0)
                context.Warning(
                    $"The endpoint did not count the tokens of {usage.Uncounted:N0} answers: "
                    + "sums and cost lack them, and traces hold an estimate.");
        }
    }
}
